import json

import pytest

from genmodels.cli import main
from genmodels.tasks.compose import compose
from genmodels.tasks.selftest import selftest


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="of must name some of"):
        selftest(compose("selftest", ["of=[sounds]"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["selftest"], "say what to selftest: genmodels selftest metrics"),
        (["selftest", "metric"], "there is no selftest 'metric'; did you mean metrics?"),
        (["audit", "sensitive=[sex]"], "say what to audit: genmodels audit bias"),
    ],
)
def test_the_subject_of_a_verb_is_asked_for(words, message, capsys):
    assert main(words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_every_planted_failure_is_caught_and_fresh_data_pass(tmp_path):
    matrices = selftest(compose("selftest", [f"out={tmp_path}"]))
    assert [line.name for m in matrices for line in m.lines if not line.passed] == []
    assert len(json.loads((tmp_path / "selftest.json").read_text())) == 2
