"""What stands above a backbone and makes its features the values of actions."""
