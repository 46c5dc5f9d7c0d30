"""Words to a configuration; a word that does not fit is answered with the nearest that would."""

import pytest
from omegaconf import OmegaConf

from genmodels.tasks.compose import compose, quoted, require, resolved


def test_words_set_values_and_choices():
    cfg = compose("train", ["model=ctgan", "trainer.max_epochs=7", "data.path=a.csv"])
    assert (cfg.trainer.max_epochs, cfg.data.path, cfg.data.source.path) == (7, "a.csv", "a.csv")
    assert cfg.choices.model == "ctgan"
    assert cfg.choices.codec == "mode_specific"
    assert "hydra" not in cfg
    assert resolved(cfg)["callbacks"]["validation"]["every"] == cfg.validation.every


def test_a_model_brings_its_codec_and_the_user_has_the_last_word():
    assert compose("train", ["model=dcgan", "data=digits"]).choices.codec == "image"
    assert compose("train", ["model=tvae", "codec=quantile"]).choices.codec == "quantile"
    assert compose("train", ["model=dcgan", "data=digits", "loss=hinge"]).choices.loss == "hinge"


@pytest.mark.parametrize(
    "path",
    [
        "my file (1).csv",
        "a,b.csv",
        "a=b.csv",
        "[x].csv",
        "it's.csv",
        "10",
        "é*.csv",
        'q"q.csv',
        "a\\b",
    ],
)
def test_a_file_name_may_hold_any_character(path):
    assert compose("train", [f"data.path={path}"]).data.path == path


@pytest.mark.parametrize("name", ["hours per week", "a,b", "10", "it's", "x=(1)", "~y"])
def test_a_target_may_have_any_name(name):
    assert compose("train", [f"data.target={name}"]).data.infer.target == name
    assert compose("train", [f"data.target={quoted(name)}"]).data.infer.target == name


def test_a_list_of_files_and_quotes_are_understood(monkeypatch):
    assert list(compose("train", ["data.path=[a.csv,b.csv]"]).data.path) == ["a.csv", "b.csv"]
    assert compose("train", ["data.path='a b.csv'"]).data.path == "a b.csv"
    monkeypatch.setenv("HOME", "/home/me")
    assert compose("train", ["data.path=~/a.csv"]).data.path == "/home/me/a.csv"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["model=tvae", "model.latnt_dim=3"],
            r"no model\.latnt_dim; did you mean model\.latent_dim\?",
        ),
        (["trainer.max_epoch=3"], r"did you mean trainer\.max_epochs\?"),
        (["data=_table", "trainer.max_epoch=3"], r"did you mean trainer\.max_epochs\?"),
        (["modle=tvae"], "no modle; did you mean model"),
        (["model=tvea"], "no model=tvea; did you mean tvae"),
        (["data=xyzzy"], r"no data=xyzzy; there are: .*csv"),
        (["model=ctgan", "loss=hing"], "no loss=hing; did you mean hinge"),
        (["model=tvae", "loss=hinge"], r"loss=\.\.\. has no place in model=tvae"),
        (["seed"], "not of the form key=value"),
        (["seed=1,2"], "names several values"),
        (["model.encoder.hidden=[1,2"], "cannot read .* quotes"),
        (["seed.x=1"], "no seed.x"),
    ],
)
def test_a_word_that_does_not_fit_gets_one_line(words, message):
    with pytest.raises(ValueError, match=message) as caught:
        compose("train", words)
    assert "\n" not in str(caught.value)


def test_what_has_no_default_is_asked_for():
    with pytest.raises(ValueError, match=r"not given: data\.path\. Add data\.path=\.\.\."):
        require(compose("train", ["data=csv"]))
    require(compose("train", ["data=digits", "model=dcgan"]))


def test_a_folder_of_ones_own_adds_choices(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(
        "# @package _global_\n# Mine.\ndefaults: [tvae, _self_]\nmodel: {latent_dim: 3}\n"
    )
    cfg = compose("train", ["model=mine"], config_dir=tmp_path)
    assert cfg.model.latent_dim == 3
    with pytest.raises(ValueError, match="did you mean mine"):
        compose("train", ["model=mien"], config_dir=tmp_path)
    with pytest.raises(ValueError, match="not a folder"):
        compose("train", [], config_dir=tmp_path / "nowhere")


def test_composing_twice_and_changing_one_leaves_the_other():
    first = compose("train", [])
    OmegaConf.update(first, "seed", 5)
    assert compose("train", []).seed == 0
