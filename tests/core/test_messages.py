from sandbox.core.messages import did_you_mean, nearest


def test_spelling_ignores_case():
    assert nearest("DQNN", ["random", "drqn", "dqn"]) == ["dqn", "drqn"]


def test_initials_work_both_ways():
    assert nearest("learning_rate", ["eps", "lr"]) == ["lr"]
    assert nearest("bs", ["steps_x", "batch_size"]) == ["batch_size"]


def test_nothing_near_is_nothing_said():
    assert did_you_mean("gamma", ["lr", "steps"]) == ""


def test_words():
    assert did_you_mean("sede", ["seed"]) == " Did you mean 'seed'?"
    assert did_you_mean("dqnn", ["drqn", "dqn"]) == " Did you mean 'dqn' or 'drqn'?"
