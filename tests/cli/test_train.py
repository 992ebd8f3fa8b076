"""`sandbox train`, `evaluate`, `watch` and `sample`, on runs of a second."""

import json

import av
import yaml
from tiny_runs import TINY, checkpoint, metrics


def test_train_evaluate_watch(sandbox, tmp_path):
    done = sandbox("train", *TINY, "seed=3")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "runs/catch_dqn_s3"
    run = tmp_path / "runs" / "catch_dqn_s3"
    assert {"config.yaml", "metrics.jsonl", "checkpoints", "summary.json", "run.json"} <= {
        f.name for f in run.iterdir()
    }
    assert [line["step"] for line in metrics(run)] == [104, 200, 304, 400, 504, 600]
    assert json.loads((run / "summary.json").read_text())["finished"] is True

    scores = json.loads(sandbox("evaluate", "latest", "--episodes", "10", "--json").out)
    assert {"run", "step", "seed", "return_mean", "return_std", "return_ci95", "episodes"} <= scores.keys()
    assert (scores["step"], scores["episodes"]) == (600, 10)
    assert json.loads(sandbox("evaluate", "--episodes", "10", "--json").out) == scores
    wrong = sandbox("evaluate", "latest", "--images", "5").err
    assert wrong == f"error: {scores['run']} is an agent, which --images does not concern; did you mean --episodes?\n"
    assert json.loads((run / "evaluation.json").read_text()) == scores
    assert scores["evaluation_epsilon"] == 0.0  # a score says how it was played

    short = "env.wrappers=[{time_limit: {steps: 3}}]"
    assert json.loads(sandbox("evaluate", "latest", short, "--episodes", "10", "--json").out)["length_mean"] == 3
    kept = json.loads((run / "evaluation.json").read_text())
    assert (kept["length_mean"], kept["overrides"]) == (3, [short])
    (run / "evaluation.json").unlink()
    (run / "evaluation.json").mkdir()  # a place that cannot be written, even by root
    said = sandbox("evaluate", "latest", "--episodes", "10", "--json")
    assert (said.code, json.loads(said.out)) == (0, scores)
    assert "evaluation.json was not written: Is a directory; reports will not show this score" in said.err
    (run / "evaluation.json").rmdir()
    refused = sandbox("evaluate", "latest", "env.blind=true", "--vary", "env.blind=true,false")
    assert (refused.code, refused.err) == (
        2,
        "error: --vary changes one option and nothing else: leave env.blind=true out\n",
    )

    watched = sandbox("watch", "catch_dqn_s3", "--video", "video.mp4", "--episodes", "2")
    assert watched.out == "video.mp4\n"
    with av.open(str(tmp_path / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 2 * 10

    other = sandbox("sample", "latest")
    assert (other.code, other.err) == (
        2,
        "error: catch_dqn_s3 is an agent and cannot draw samples. To see it play: `sandbox watch catch_dqn_s3`\n",
    )


def test_the_saved_config_repeats_the_run(sandbox, tmp_path):
    sandbox("train", *TINY)
    first = tmp_path / "runs" / "catch_dqn_s0"
    assert sandbox("train", str(first / "config.yaml"), "name=again").code == 0
    assert metrics(tmp_path / "runs" / "again") == metrics(first)
    assert checkpoint(tmp_path / "runs" / "again") == checkpoint(first)


def test_an_existing_run_asks(sandbox, tmp_path):
    sandbox("train", *TINY)
    again = sandbox("train", *TINY)
    assert again.code == 2
    assert again.err == (
        "error: runs/catch_dqn_s0 already exists: resume it with `sandbox resume runs/catch_dqn_s0` or --resume, "
        "choose another name with name=..., or delete the folder\n"
    )
    before = metrics(tmp_path / "runs" / "catch_dqn_s0")
    assert sandbox("train", *TINY, "--resume").code == 0
    assert metrics(tmp_path / "runs" / "catch_dqn_s0") == before


def test_a_mistake_leaves_no_folder_behind(sandbox, tmp_path):
    wrong = sandbox("train", *TINY, "agent.backbone={name: nature}")
    assert wrong.code == 2
    assert wrong.err.startswith("error: backbone nature needs images [C, H, W] of at least 36x36, got (50,).")
    assert not (tmp_path / "runs").exists()


def test_cuda_asked_for_and_absent(sandbox, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    wrong = sandbox("train", *TINY, "device=cuda")
    assert wrong.code == 2
    assert "sees no CUDA device. Use device=cpu or device=auto" in wrong.err


def test_an_encoder_is_lent_by_name(sandbox, tmp_path):
    sandbox("train", *TINY)
    assert sandbox("train", *TINY, "name=heir", "encoder_from=latest").code == 0
    assert yaml.safe_load((tmp_path / "runs/heir/config.yaml").read_text())["encoder_from"] == "catch_dqn_s0"
    wrong = sandbox("train", *TINY, "name=other", "encoder_from=heir", "agent.backbone={name: mlp, hidden: [9]}")
    assert wrong.code == 2
    assert wrong.err == (
        "error: encoder_from=heir: its encoder has other shapes than this one "
        "(encoder.layers.0.weight: (8, 50) against (9, 50)). "
        "Give both the same backbone, and observations of the same shape (agent.frame_stack counts).\n"
    )


def test_a_run_that_could_not_begin_leaves_no_folder(sandbox, tmp_path):
    words = ["digits_rbm", "data.binarize=none", "steps=10", "threads=1", "logger.wandb=off"]
    wrong = sandbox("train", *words)
    assert wrong.code == 2
    assert "data.binarize=threshold" in wrong.err
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_loss_that_is_not_finite_keeps_its_batch(sandbox, tmp_path):
    wrong = sandbox("train", *TINY, "agent.optimizer.lr=1e30")
    assert wrong.code == 2
    assert wrong.err.endswith(
        "Likely causes: a learning rate that is too large (try a tenth of it); gradients without a limit (set "
        "clip_norm: 10 in the optimizer's section); rewards or observations that are not finite.\n"
    )
    assert list((tmp_path / "runs" / "catch_dqn_s0").glob("batch_*/batch.safetensors"))
