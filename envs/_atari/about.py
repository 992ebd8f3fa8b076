"""Titles, goals, actions and keys of the Atari games, for people."""

from collections.abc import Iterable

from ale_py import Action

from sandbox.interfaces.environment import About, Controls

_DEFAULT_GOAL = "Score as many points as you can."
GOALS = {  # of the best known games
    "alien": "Collect the dots of the maze and keep away from the aliens.",
    "amidar": "Paint the whole grid and keep away from the enemies.",
    "assault": "Shoot the enemies that the mother ship releases, and do not let your cannon overheat.",
    "asterix": "Collect the objects that pass by and avoid the lyres.",
    "asteroids": "Shoot the asteroids into pieces and do not collide with them.",
    "atlantis": "Defend the city: shoot the ships before they fire at it.",
    "bank_heist": "Rob the banks, avoid the police cars, and leave the town before the fuel is used up.",
    "battle_zone": "Find the enemy tanks on the radar and shoot them first.",
    "beam_rider": "Move along the beams and shoot the saucers of each sector.",
    "berzerk": "Shoot the robots and leave the maze; do not touch its walls.",
    "bowling": "Roll the ball so that it knocks down all ten pins.",
    "boxing": "Hit the other boxer's head. 100 hits win.",
    "breakout": "Bounce the ball off the paddle to break all bricks, and do not let it fall.",
    "centipede": "Shoot the centipede before it reaches you.",
    "chopper_command": "Protect the trucks: shoot the enemy planes and helicopters.",
    "crazy_climber": "Climb to the top of the building and dodge what falls.",
    "demon_attack": "Shoot the demons and dodge their bombs.",
    "double_dunk": "Score more baskets than the other team.",
    "enduro": "Overtake enough cars each day, in all weathers.",
    "fishing_derby": "Catch 99 pounds of fish before your neighbor, and keep them from the shark.",
    "freeway": "Get the chicken across the road as often as you can.",
    "frogger": "Bring the frogs across the road and the river into their homes.",
    "frostbite": "Jump from floe to floe to build the igloo, and enter it before you freeze.",
    "gopher": "Fill the gopher's holes and keep it from the carrots.",
    "gravitar": "Fly to the planets, pick up fuel, and destroy the bunkers.",
    "hero": "Fly through the mine, blast the walls away, and rescue the miners.",
    "ice_hockey": "Get the puck into the other goal more often than the opponent.",
    "jamesbond": "Drive on, shoot the enemies, and jump over the craters.",
    "kangaroo": "Climb to the top to your joey, and dodge the apples.",
    "krull": "Rescue the princess: fight through the four scenes.",
    "kung_fu_master": "Fight your way through the five floors of the temple.",
    "montezuma_revenge": "Find keys and treasures in the pyramid, and survive its traps.",
    "ms_pacman": "Eat all dots and keep away from the ghosts, which can be eaten after a power pill.",
    "name_this_game": "Shoot shark and octopus to guard the treasure, and take air from the boat.",
    "pitfall": "Find the treasures of the jungle in 20 minutes; avoid pits and animals.",
    "pong": "Get the ball past the other paddle. The first player with 21 points wins.",
    "private_eye": "Find the stolen things and bring them back.",
    "qbert": "Change the color of every cube by hopping on it, and avoid the creatures.",
    "riverraid": "Fly up the river, shoot what is in the way, and fly over the depots for fuel.",
    "road_runner": "Run from the coyote and pick the seed.",
    "robotank": "Destroy the squadrons of enemy tanks.",
    "seaquest": "Shoot sharks and submarines, rescue divers, and come up for air in time.",
    "skiing": "Ski down as fast as you can, between the two flags of every gate.",
    "solaris": "Find the planet Solaris: fight and refuel on the way.",
    "space_invaders": "Shoot all invaders before they land.",
    "star_gunner": "Shoot the enemy ships and dodge their bombs.",
    "surround": "Cut off the other trail, and run into none.",
    "tennis": "Win more games of the set than the opponent.",
    "time_pilot": "Shoot enough enemy planes to travel to the next time.",
    "tutankham": "Find the treasures of the tomb and the key to the next chamber.",
    "up_n_down": "Collect the flags of the roads; jump over or onto the other cars.",
    "venture": "Enter the rooms and take their treasures, and do not meet the hall monsters.",
    "video_pinball": "Keep the ball in play and hit the targets.",
    "wizard_of_wor": "Shoot the monsters of the dungeon.",
    "yars_revenge": "Nibble through the shield and hit the Qotile with the cannon.",
    "zaxxon": "Fly through the fortress at the right height, and shoot what you can.",
}
TITLES = {
    "hero": "H.E.R.O.",
    "jamesbond": "James Bond 007",
    "montezuma_revenge": "Montezuma's Revenge",
    "ms_pacman": "Ms. Pac-Man",
    "pacman": "Pac-Man",
    "qbert": "Q*bert",
    "riverraid": "River Raid",
    "up_n_down": "Up'n Down",
    "yars_revenge": "Yars' Revenge",
    "et": "E.T.",
}
ROLES = {
    "pong": "the green paddle on the right",
    "boxing": "the white boxer",
    "fishing_derby": "the man on the left",
    "breakout": "the paddle at the bottom",
    "freeway": "the chicken on the left",
}
_TURNED = {"pong": {"right": "up", "left": "down"}}  # directions on the screen of the emulator's actions
_PARTS = ("up", "down", "left", "right", "space")


def about(game: str) -> About:
    """Return title and goal of a game."""
    title = TITLES.get(game, " ".join(word.capitalize() for word in game.split("_")))
    return About(f"{title} (Atari)", GOALS.get(game, _DEFAULT_GOAL))


def controls(game: str, codes: Iterable[int]) -> Controls:
    """Return keys and names of the actions with these codes of the emulator: `UPRIGHTFIRE` is up+right+space."""
    codes = [int(code) for code in codes]
    turned = {} if Action.UP.value in codes else _TURNED.get(game, {})
    chords = []
    for code in codes:
        name = Action(code).name.replace("FIRE", "SPACE").lower()
        chords.append([turned.get(part, part) for part in _PARTS if part in name])
    keys = {"+".join(chord): action for action, chord in enumerate(chords) if chord}
    names = [" ".join(chord).replace("space", "fire") or "nothing" for chord in chords]
    return Controls(keys, 0, names, ROLES.get(game, ""))
