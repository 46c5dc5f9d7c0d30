"""The Python API: `Synthesizer(model="tabvae").fit(frame).sample(1000)`.

A thin face on the tasks: the same configurations, the same runs on disk, no pickle.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from genmodels.data.dtypes import frame_dtypes, to_frame, to_series
from genmodels.data.open import as_source
from genmodels.data.schema_file import schema_path
from genmodels.data.sources.frame import Frame
from genmodels.data.sources.memory import Memory
from genmodels.run import Run
from genmodels.schema import Schema
from genmodels.tasks.build import Loaded, load_run, takes_any_part
from genmodels.tasks.calibrate import Calibrate
from genmodels.tasks.compose import compose, quoted
from genmodels.tasks.control import Asked, Shortfall, asked_for
from genmodels.tasks.options import pick_device
from genmodels.tasks.predict import build_prediction, log_probs, target_of
from genmodels.tasks.quiet import isolated
from genmodels.tasks.sampler import build_sampler, shortfall_facts
from genmodels.tasks.train import train
from genmodels.types import Images, Source

__all__ = ["Synthesizer"]

_OWN_WORDS = (
    "model", "seed", "run", "resume", "overwrite", "logger", "schema", "trainer.max_epochs",
    "data", "data.path", "data.holdout", "data.holdout_path", "data.target",
)  # fmt: skip
Rows: TypeAlias = "pd.DataFrame | pa.Table | str | Path"


class Synthesizer(BaseEstimator):
    """Learns a table or images, and draws synthetic ones.

    Args:
        model: a model of `genmodels train --help`, such as "tabvae", "ctgan" or "dcgan".
        seed: of everything random in `fit`.
        epochs: passes over the data; None: what the model's configuration says.
        overrides: further words of `genmodels train`, such as "model.latent_dim=64".
        run: folder of the run, kept; None: a temporary one, removed with this object.

    Attributes:
        schema_: what the data mean, after `fit`.
        run_: the folder of the run, after `fit`.
    """

    def __init__(
        self,
        model: str = "tabvae",
        *,
        seed: int = 0,
        epochs: int | None = None,
        overrides: Sequence[str] = (),
        run: str | Path | None = None,
    ) -> None:
        self.model = model
        self.seed = seed
        self.epochs = epochs
        self.overrides = overrides
        self.run = run

    def fit(
        self,
        data: pd.DataFrame | pa.Table | Images | str | Path,
        y: None = None,
        *,
        target: str | None = None,
        schema: Schema | Mapping[str, Any] | str | Path | None = None,
    ) -> Synthesizer:
        """Train on all of `data`, but for the validation share that chooses the weights.

        Args:
            data: a DataFrame, an Arrow table, `Images`, or a path to files of either.
            y: ignored; there for scikit-learn.
            target: the column to be predicted from the others; kept in the schema.
            schema: of the data, or the file that holds it; None: inferred.

        Raises:
            TypeError: when `data` is of another type.
            ValueError: when the data or the configuration cannot be used.
        """
        source = as_source(data, what="fit")
        folder = Path(tempfile.mkdtemp(prefix="genmodels-"))
        cleaner = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        words = [f"model={self.model}", f"seed={self.seed}", *_data_words(source)]
        words += ["data.holdout=0.0", f"run={self.run or folder / 'run'}"]
        words += [] if self.run else ["logger=none"]
        words += [] if self.epochs is None else [f"trainer.max_epochs={self.epochs}"]
        words += [] if schema is None else [f"schema={schema_path(schema, folder)}"]
        words += [] if target is None else [f"data.target={quoted(target)}"]
        cfg = compose("train", [*words, *self.overrides])
        with isolated():
            run = train(cfg, source=source)
        dtypes = frame_dtypes(data) if isinstance(data, pd.DataFrame) else []
        run.write_manifest(dtypes=dtypes)
        former, self._cleaner = getattr(self, "_cleaner", None), cleaner
        self._take(run)
        if former is not None:
            former()
        return self

    def takes_any_part(self) -> bool:
        """Whether the model, as configured, can be given any part of a row when it is sampled.

        Others are told one column alone, and in training: overrides=["condition=..."].

        Raises:
            ValueError: when the configuration cannot be used.
        """
        words = [f"model={self.model}", "data=_table", "run=run", *self.overrides]
        return takes_any_part(compose("train", words))

    def sample(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        condition: str | Mapping[str, Any] = "empirical",
        given: Mapping[str, Any] | None = None,
        balance: str | None = None,
        shares: Mapping[str, Mapping[Any, float]] | None = None,
        temper: float = 1.0,
        scenario: Mapping[str, Any] | str | Path | None = None,
        constraints: Sequence[str] | str = (),
        redraws: int = 20,
        shortfall: Shortfall = "error",
        candidates: int = 8,
        calibrate: Calibrate = "off",
        block_rows: int | None = None,
    ) -> pd.DataFrame | Images:
        """Draw `n` rows; row i depends on the run, `seed`, what is asked and i alone.

        Args:
            n: at least 1.
            seed: another seed draws other rows.
            condition: "empirical" training frequencies, "balanced", or {name: level}; of images
                with attributes several at once, such as {"glasses": True, "age": 40}.
            given: what each row must be, such as {"age": "> 80", "job": ["A", "B"], "kg": None};
                None is missing, a list means that either may be, and "20..30" is a range.
            balance: the column whose levels shall be equally frequent.
            shares: of some levels, such as {"income": {">50K": 0.5}}; others keep proportions.
            temper: above 1 flattens probabilities, below 1 sharpens them.
            scenario: named strata with share (or rows: one stratum after the other), given and
                temper, or the YAML file of them.
            constraints: between columns, such as "start <= end" or "total = a + b".
            redraws, shortfall: how often a row that is not as asked is drawn again, and whether
                one is then an "error" or left out with a warning ("drop").
            candidates: rows drawn for each one kept where something is given: more are more exact.
            calibrate: "marginal" makes every level and number as frequent as in training, "pin"
                the smallest and largest numbers; noted in `attrs["calibrate"]`, not with wishes.
            block_rows: rows drawn together, part of what a row depends on; a small block is
                quicker for few rows. None: by their width, with wishes at most 512.

        Returns:
            A DataFrame with the dtypes of the one in `fit`, or `Images`.

        Raises:
            NotFittedError: before `fit`.
            TypeError: when `given` or `shares` is no dict, or a tuple is given.
            ValueError: when the model cannot do what is asked, or too few rows are as asked.
        """
        asked = asked_for(
            given=given, balance=balance, shares=shares, temper=temper, scenario=scenario,
            constraints=constraints, redraws=redraws, shortfall=shortfall, candidates=candidates,
        )  # fmt: skip
        sampler = build_sampler(
            self._fitted(), seed=seed, condition=condition, asked=asked, calibrate=calibrate,
            block_rows=block_rows,
        )  # fmt: skip
        raw = sampler.sample(n)
        shortfall_facts(sampler)
        attrs = {} if sampler.calibration is None else {"calibrate": calibrate}
        return raw if isinstance(raw, Images) else self._framed(raw, attrs)

    def complete(
        self, data: pd.DataFrame | pa.Table | str | Path, *, seed: int = 0
    ) -> pd.DataFrame:
        """Draw what is missing in partial rows: empty cells, and columns that are not there.

        Known cells come back as they are; each row is a draw from the model given what it holds.

        Args:
            data: some or all columns of the data in `fit`, at least one.
            seed: another seed draws other values.

        Returns:
            As many rows, all columns; with the index of `data`, if it has one.

        Raises:
            NotFittedError: before `fit`.
            TypeError: when `data` is of another type.
            ValueError: when the model cannot be given parts of a row, or a value does not fit.
        """
        loaded = self._fitted()
        partial = as_source(data, what="complete", least=1).load()
        if not isinstance(partial, pa.Table):
            raise TypeError("complete needs rows with columns, got images")
        sampler = build_sampler(loaded, seed=seed, asked=Asked(complete=partial))
        frame = to_frame(sampler.sample(partial.num_rows), self._dtypes)
        return frame.set_axis(data.index) if isinstance(data, pd.DataFrame) else frame

    def log_prob(self, data: Rows, *, given: Sequence[str] = ()) -> np.ndarray:
        """How likely the model holds rows to be: log p(row), or log p(rest | `given`).

        Of the *encoded* row: a sum of log-probabilities of levels and of log-densities of
        scores, which are numbers made nearly standard normal by their distribution in training.
        So rows of one run can be compared with each other, but not rows of runs with different
        codecs, nor a density with a probability. Columns computed from others add nothing, and a
        rounded number has a random place within its step, the same in each call.

        If all but one column of levels is `given`, log p(rest | `given`) is that of
        `predict_proba`, by Bayes' rule from whole rows. Otherwise the model reads what is given
        first, in an order that it learned less well, so it may part a little from the quotient of
        probabilities of whole rows; it does not where what is not given comes last in training.

        Args:
            data: all columns of the data in `fit`.
            given: columns whose values are taken as given.

        Returns:
            Nats, float64, shape (N,).

        Raises:
            NotFittedError: before `fit`.
            TypeError: when `data` is of another type.
            ValueError: when the model has no exact likelihood, or a value does not fit.
        """
        raw = as_source(data, what="log_prob", least=1).load()
        return log_probs(self._fitted(), raw, given=given)

    def predict_proba(
        self, data: Rows, target: str | None = None, *, draws: int = 64, seed: int = 0
    ) -> pd.DataFrame:
        """Probabilities of the classes of a column, given the others.

        What `data` says about the target is not read. An empty cell is a missing value if the
        column had some in training; else, and where a column is not there at all, it is unknown
        and summed over. Without unknown cells the probabilities are the model's own, by Bayes'
        rule; else they are estimated from weighed draws.

        Args:
            data: some or all columns of the data in `fit`, at least one besides the target.
            target: the column; None: the target in `fit`.
            draws: of unknown cells, for each row that has some; the error falls as one by its
                root. A target other than that in `fit` takes a pass per class for each.
            seed: of the draws.

        Returns:
            A column per class, as many rows as `data` and with its index; rows sum to 1. A
            missing target is not among the classes: probabilities are given that it is not.

        Raises:
            NotFittedError: before `fit`.
            TypeError: when `data` is of another type.
            ValueError: when the model has no exact likelihood, the target has no classes, or a
                value does not fit.
        """
        loaded = self._fitted()
        name = target_of(loaded, target)
        raw = as_source(data, what="predict_proba", least=1).load()
        prediction, aim = build_prediction(loaded, raw, name, draws=draws, seed=seed)
        if aim.classes is None:
            raise ValueError(
                f"column {name!r} has no classes but numbers or times; use predict for their mean "
                "or median"
            )
        labels = to_series(aim.classes, self._dtypes, aim.position, exact=True)
        if isinstance(labels.dtype, pd.CategoricalDtype):
            labels = labels.astype(labels.cat.categories.dtype)
        index = data.index if isinstance(data, pd.DataFrame) else None
        columns = pd.Index(labels, name=None)
        return pd.DataFrame(prediction.probabilities(), index=index, columns=columns)

    def predict(
        self,
        data: Rows,
        target: str | None = None,
        *,
        how: Literal["mean", "median"] = "mean",
        draws: int = 64,
        seed: int = 0,
    ) -> pd.Series:
        """The likeliest class of a column given the others, or the mean of numbers and times.

        Args:
            data, target, draws, seed: see `predict_proba`.
            how: what is told of numbers and times; of those that are not missing.

        Returns:
            As many values as `data` has rows, with its index: classes in the dtype of the
            column in `fit`, means and medians of numbers as float64.

        Raises:
            See `predict_proba`.
        """
        loaded = self._fitted()
        name = target_of(loaded, target)
        raw = as_source(data, what="predict", least=1).load()
        prediction, aim = build_prediction(loaded, raw, name, how=how, draws=draws, seed=seed)
        if aim.labelled:
            assert aim.classes is not None
            values = aim.classes.take(pa.array(prediction.likeliest()))
        else:
            found = pa.array(prediction.numbers(how), from_pandas=True)
            timed = pa.types.is_temporal(aim.kind)
            values = found.cast(pa.int64(), safe=False).view(aim.kind) if timed else found
        series = to_series(values, self._dtypes, aim.position, exact=aim.labelled)
        return series.set_axis(data.index) if isinstance(data, pd.DataFrame) else series

    def save(self, folder: str | Path) -> None:
        """Write what sampling needs as a run, for `load` and `genmodels sample run=...`.

        Raises:
            FileExistsError: when `folder` exists and is not empty.
        """
        self._fitted()
        Run(self.run_).copy_to(Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Synthesizer:
        """A fitted synthesizer from a run: one that was saved, or any that was trained.

        Raises:
            ValueError: when there is no intact run.
        """
        run = Run.open(folder)
        loaded = _load(run)
        run.warn_unfinished()
        made = cls(
            model=str(loaded.cfg.choices.model),
            seed=int(loaded.cfg.seed),
            epochs=loaded.cfg.trainer.max_epochs,
            overrides=_further(loaded.cfg.get("overrides") or ()),
        )
        made._take(run, loaded)
        return made

    def _take(self, run: Run, loaded: Loaded | None = None) -> None:
        self._loaded = loaded or _load(run)
        self._dtypes = run.read_manifest().get("dtypes", [])
        self.run_, self.schema_ = run.path, self._loaded.schema

    def _framed(self, rows: pa.Table, attrs: Mapping[str, Any]) -> pd.DataFrame:
        """Rows with the dtypes of the frame in `fit`, and what is noted of them."""
        frame = to_frame(rows, self._dtypes)
        frame.attrs.update(attrs)
        return frame

    def _fitted(self) -> Loaded:
        """What `fit` or `load` made, or an error."""
        if not hasattr(self, "_loaded"):
            raise NotFittedError("this Synthesizer has not learned anything: call fit(data) first")
        return self._loaded

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_loaded")


def _further(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a training that are neither an argument of ours nor about where things lie."""
    return tuple(word for word in words if word.partition("=")[0].lstrip("+~") not in _OWN_WORDS)


def _load(run: Run) -> Loaded:
    with isolated():  # first weights are random
        return load_run(run, device=pick_device("auto"))


def _data_words(source: Source) -> list[str]:
    """The part of the configuration that depends on where the data are, and of what kind."""
    if isinstance(source, Frame):
        return ["data=_table"]
    if isinstance(source, Memory):
        return ["data=_images" if isinstance(source.raw, Images) else "data=_table"]
    return [f"data={type(source).__name__.lower()}", f"data.path={getattr(source, 'path', '')}"]
