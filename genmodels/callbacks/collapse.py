"""An alarm for a GAN that makes ever fewer kinds of samples, and a way back to its best state."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import torch

from genmodels.algorithms.base import GenerativeModel
from genmodels.callbacks.ledger import Ledger
from genmodels.callbacks.rates import groups_of, lower
from genmodels.callbacks.typed import model_of
from genmodels.files import atomic_path
from genmodels.run import Run
from genmodels.types import Raw

__all__ = ["CollapseAlarm"]

log = logging.getLogger(__name__)

GOOD = "good.ckpt"
WON = "train/discriminator/won"
_STAYS = ("samples_seen", "augment.", "warm_up.")  # the clock goes on, and what follows it
_KEPT = ("low", "winning", "rising", "before", "best", "warned", "rollbacks")


class CollapseAlarm(L.Callback):
    """Looks at three signs when the model is measured; each must hold `patience` times in a row.

    Samples of a class lie nearer to each other than real ones do; the discriminator tells nearly
    all pairs of a real and a generated sample apart while the monitored distance does not improve
    (early in a training that goes well it does so too); that distance rises each time, and beyond
    `worse` times its best. One warning says which, and no other comes until all is well
    again. Must come after what measures and what keeps the best weights.

    With `rollback` it also takes back the weights and the states of the optimizers from the
    measurement with the best monitored number, and multiplies the learning rates by `factor`.
    The clock, the strength of an augmentation and the data go on as they are. When a run goes on
    from before that measurement, what was kept is of a future that did not happen: it is removed,
    and there is no way back until a better number is measured.

    Args:
        run: where that state is kept, `checkpoints/good.ckpt`.
        ledger: where numbers are found and "val/diversity" is recorded.
        sample: n -> synthetic raw rows of the model as it is now.
        validation: validation rows, raw, or None: then there is nothing to look at.
        seed: of the choice of rows.
        diversity: (reference, synthetic, seed) -> spread of the synthetic rows as a share of that
            of the reference, or None.
        monitor: the distance; lower is better.
        rows: at most so many rows a side for the diversity.
        least_diversity: a smaller share is a sign.
        most_won: a larger share of pairs is a sign, in (0.5, 1].
        patience: measurements in a row that make a sign.
        worse: times the best monitored number.
        rollback: whether to go back.
        factor: of the learning rates at each way back, in (0, 1).
        most_rollbacks: at most so many ways back.
        advice: what to try, said with a warning.

    Raises:
        ValueError: when a number is out of its range.
    """

    def __init__(
        self,
        *,
        run: Run,
        ledger: Ledger,
        sample: Callable[[int], Raw],
        validation: Raw | None,
        seed: int,
        diversity: Callable[[Raw, Raw, int], float] | None,
        monitor: str,
        rows: int,
        least_diversity: float,
        most_won: float,
        patience: int,
        worse: float,
        rollback: bool,
        factor: float,
        most_rollbacks: int,
        advice: str = "",
    ) -> None:
        if patience < 1 or not 0.0 < factor < 1.0:
            raise ValueError(
                "callbacks.collapse needs a patience of at least 1 and a factor between 0 and 1, "
                f"got {patience} and {factor}"
            )
        self.run, self.ledger, self.sample, self.validation = run, ledger, sample, validation
        self.seed, self.diversity, self.monitor, self.rows = seed, diversity, monitor, rows
        self.least_diversity, self.most_won, self.worse = least_diversity, most_won, worse
        self.patience, self.rollback, self.factor = patience, rollback, factor
        self.most_rollbacks, self.advice = most_rollbacks, advice
        self.low = self.winning = self.rising = self.rollbacks = self.seen = 0
        self.before, self.best, self.warned = math.inf, math.inf, False

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        model, back = model_of(pl_module), False
        times, value = self.ledger.times(self.monitor)
        if times > self.seen and math.isfinite(value):
            self.seen = times
            signs = self._signs(value, self._spread(trainer, model))
            self._warn(signs)
            back = bool(signs) and self._can_go_back(trainer, model, value)
            if value < self.best and self._keep(trainer, model, value):
                self.best = value
        # The ledger is on rank zero alone; all processes must go back together.
        if self.rollback and trainer.strategy.broadcast(back):
            self._go_back(trainer, model)

    def _spread(self, trainer: L.Trainer, model: GenerativeModel) -> float:
        """The diversity, recorded; NaN where it is not measured."""
        if self.validation is None or self.diversity is None:
            return math.nan
        n = min(len(self.validation), self.rows)
        found = float(self.diversity(self.validation, self.sample(n), self.seed))
        clock = {"samples_seen": model.num_samples, "epoch": trainer.current_epoch + 1}
        self.ledger.record({"val/diversity": found}, **clock)
        return found

    def _signs(self, value: float, spread: float) -> list[str]:
        """What has now been seen for long enough, in words."""
        won = self.ledger.latest.get(WON, math.nan)
        self.low = self.low + 1 if spread < self.least_diversity else 0
        self.winning = self.winning + 1 if won > self.most_won and value >= self.best else 0
        self.rising = self.rising + 1 if value > self.before else 0
        self.before = value
        signs = []
        if self.low >= self.patience:
            signs.append(
                f"generated samples of some class lie {spread:.0%} as far apart as real ones "
                "(val/diversity)"
            )
        if self.winning >= self.patience:
            signs.append(
                f"the discriminator tells {won:.1%} of all pairs apart ({WON}), and "
                f"{self.monitor} does not improve"
            )
        if self.rising >= self.patience and value > self.worse * self.best:
            signs.append(
                f"{self.monitor} rose {self.rising} times in a row, from a best of "
                f"{self.best:.4g} to {value:.4g}"
            )
        return signs

    def _warn(self, signs: list[str]) -> None:
        if signs and not self.warned:
            said = f"{'; '.join(signs)}. {self.advice}".strip()
            log.warning("training may be collapsing: %s", said)
        self.warned = bool(signs)

    def _can_go_back(self, trainer: L.Trainer, model: GenerativeModel, value: float) -> bool:
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        left = self.rollbacks < self.most_rollbacks and value > self.best
        return self.rollback and left and not last and self._is_ours(model)

    def _is_ours(self, model: GenerativeModel) -> bool:
        """Whether there is a state that this training wrote; another is removed."""
        if not self._path.is_file():
            return False
        state = torch.load(self._path, map_location="cpu", weights_only=True)
        best, samples = state.get("best"), state.get("samples_seen", math.inf)
        if best == self.best and samples <= model.num_samples:
            return True
        log.warning(
            "%s is not of the best %s of this training (%.4g), as the run went on from an earlier "
            "state: it is removed, and there is no way back until a better one is measured",
            self._path, self.monitor, self.best,
        )  # fmt: skip
        self._path.unlink()
        return False

    @property
    def _path(self) -> Path:
        return self.run.checkpoints / GOOD

    def _keep(self, trainer: L.Trainer, model: GenerativeModel, value: float) -> bool:
        """Write the state to go back to, if there is to be one; False: it is not worth keeping."""
        if not trainer.is_global_zero or bool(model.nonfinite):
            return False
        if not self.rollback:
            return True
        state = {
            "best": value,
            "samples_seen": model.num_samples,
            "state_dict": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        with atomic_path(self._path) as temporary:
            temporary.write_bytes(buffer.getbuffer())
        return True

    def _go_back(self, trainer: L.Trainer, model: GenerativeModel) -> None:
        state = torch.load(self._path, map_location="cpu", weights_only=True)
        weights = {k: v for k, v in state["state_dict"].items() if not k.startswith(_STAYS)}
        model.load_state_dict(weights, strict=False)
        rates = [group["lr"] for group in groups_of(trainer)]
        for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for group, rate in zip(groups_of(trainer), rates, strict=True):
            group["lr"] = rate
        lower(trainer, self.factor)
        self.low = self.winning = self.rising = 0
        self.before, self.warned, self.rollbacks = math.inf, False, self.rollbacks + 1
        if trainer.is_global_zero:  # the only one that knows the best number
            log.warning(
                "went back to the weights with %s = %.4g, learning rates times %g "
                "(%d of at most %d)",
                self.monitor, self.best, self.factor, self.rollbacks, self.most_rollbacks,
            )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name in _KEPT:
            setattr(self, name, state_dict[name])
