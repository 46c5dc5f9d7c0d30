"""An over-sampler for imbalanced-learn: more rows of the rare classes, drawn from a model.

`SyntheticSampler(model="tabvae")` takes the place of SMOTE in a pipeline of imbalanced-learn.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from scipy import sparse
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from genmodels.data.infer import infer_schema
from genmodels.data.sources.frame import frame_table
from genmodels.schema import TableSchema
from genmodels.synthesizer import Synthesizer
from genmodels.wishes import TooFewRowsError

__all__ = ["SyntheticSampler"]

_SMALL = 512  # rows: the usual block where something is given


class SyntheticSampler(BaseOverSampler):
    """Trains a model on all rows, and draws rows of the classes that shall have more.

    The rows of `X` come first and unchanged; new rows follow, class by class. A model that can be
    given any part of a row, such as "tabvae", draws the rest of it given its class; other models
    are trained with the class as their condition, and rows of another class are drawn again.

    Args:
        sampling_strategy: which classes get how many rows, as in imbalanced-learn: "auto" makes
            all as frequent as the largest; a ratio, a name or {class: rows}.
        random_state: seed of training and of the rows drawn.
        model: a model of `genmodels train --help` for tables.
        epochs: passes over the data; None: what the model's configuration says.
        overrides: further words of `genmodels train`, such as "trainer.accelerator=cpu".

    Attributes:
        sampling_strategy_: {class: new rows}, after `fit_resample`.
        synthesizer_: the trained `Synthesizer`, after `fit_resample`; not set when no class
            needed rows.

    Raises:
        ValueError: when `X` is not two-dimensional, `y` is not of classes, the model cannot be
            trained on so few rows, or it draws too few rows of a class.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseOverSampler._parameter_constraints,
        "model": [str],
        "epochs": [Interval(numbers.Integral, 1, None, closed="left"), None],
        "overrides": [list, tuple],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        model: str = "tabvae",
        epochs: int | None = None,
        overrides: Sequence[str] = (),
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.model = model
        self.epochs = epochs
        self.overrides = overrides

    def _check_X_y(self, X: Any, y: Any) -> tuple[Any, np.ndarray, bool]:
        """Gaps, texts and dtypes of a DataFrame are data, so little is checked."""
        y, one_versus_all = check_target_type(y, indicate_one_vs_all=True)
        if not isinstance(X, pd.DataFrame):
            X = check_array(
                X, dtype=None, accept_sparse=["csr", "csc"], ensure_all_finite="allow-nan"
            )
        validate_data(self, X=X, y=y, reset=True, skip_check_array=True)
        return X, np.asarray(y), one_versus_all

    def _fit_resample(self, X: Any, y: np.ndarray) -> tuple[Any, np.ndarray]:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        wanted = {one: int(n) for one, n in self.sampling_strategy_.items() if n > 0}
        if not wanted:
            return X.copy(), y.copy()
        frame = _frame(X)
        classes, codes = np.unique(y, return_inverse=True)
        levels = [f"class {k}" for k in range(len(classes))]
        name = "class"
        while name in {str(other) for other in frame.columns}:
            name += "_"
        label = pd.Series(pd.Categorical.from_codes(codes, pd.Index(levels)), name=name)
        data = pd.concat([label, frame], axis=1)
        # A target is learned last; what will be given is learned best first.
        any_part = Synthesizer(self.model, overrides=self.overrides).takes_any_part()
        target = None if any_part else name
        schema = _schema(data, target, keys=isinstance(X, pd.DataFrame))
        self.synthesizer_ = self._synthesizer(seed, any_part).fit(
            data, target=target, schema=schema
        )
        made = []
        for one, rows in wanted.items():
            k = int(np.flatnonzero(classes == one)[0])
            drawn = self._drawn(rows, one, given={name: levels[k]}, seed=seed + k)
            made.append(drawn.iloc[:, 1:].set_axis(frame.columns, axis=1))
        new_y = np.concatenate([np.full(n, one, y.dtype) for one, n in wanted.items()])
        return _joined(X, pd.concat(made, ignore_index=True)), np.concatenate([y, new_y])

    def _drawn(self, rows: int, one: Any, *, given: dict[str, str], seed: int) -> pd.DataFrame:
        """Rows of the class `one`."""
        try:
            drawn = self.synthesizer_.sample(
                rows, seed=seed, given=given, block_rows=_block_rows(rows)
            )
        except TooFewRowsError as error:
            raise ValueError(
                f"model={self.model!r} was told to draw class {one!r}, and {error.kept:,} of "
                f"{error.asked:,} rows are of it: it has not learned the classes. Train it longer "
                '(epochs=...), or use model="tabvae", which is given the class'
            ) from error
        assert isinstance(drawn, pd.DataFrame)
        return drawn

    def _synthesizer(self, seed: int, any_part: bool) -> Synthesizer:
        told = any(word.partition("=")[0].lstrip("+~") == "condition" for word in self.overrides)
        words = [] if told or any_part else ["condition=target"]
        overrides = (*words, *self.overrides)
        return Synthesizer(self.model, seed=seed, epochs=self.epochs, overrides=overrides)

    def _more_tags(self) -> dict[str, Any]:
        return {"X_types": ["2darray", "string", "sparse", "dataframe"], "allow_nan": True}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def _block_rows(rows: int) -> int | None:
    """Whole blocks are drawn, so few rows take a small one; None: the usual size."""
    return 1 << (rows - 1).bit_length() if rows <= _SMALL else None


def _frame(X: Any) -> pd.DataFrame:
    """The rows as a DataFrame, dense, without their index."""
    if isinstance(X, pd.DataFrame):
        kinds = enumerate(X.dtypes)
        thin = {i: kind.subtype for i, kind in kinds if isinstance(kind, pd.SparseDtype)}
        columns = [X.iloc[:, i].astype(thin.get(i, X.dtypes.iloc[i])) for i in range(X.shape[1])]
        return pd.concat(columns, axis=1).reset_index(drop=True)
    dense = X.toarray() if sparse.issparse(X) else X
    return pd.DataFrame(dense, columns=[f"x{i}" for i in range(dense.shape[1])])


def _schema(data: pd.DataFrame, target: str | None, *, keys: bool) -> TableSchema:
    """What the columns mean, the first of which is the class; `keys`: a number may be a key."""
    table = frame_table(data)
    wishes: dict[str, dict[str, Any]] = {table.column_names[0]: {"kind": "categorical"}}
    schema = infer_schema(table, target=target, overrides=wishes)
    found = [c.name for c in schema.columns if c.kind == "identifier" and c.format == "integer"]
    if keys or not found:
        return schema
    wishes |= {name: {"kind": "integer"} for name in found}
    return infer_schema(table, target=target, overrides=wishes)


def _joined(X: Any, new: pd.DataFrame) -> Any:
    """Old rows and new ones, of the type of the old ones."""
    if isinstance(X, pd.DataFrame):
        parts = [X.reset_index(drop=True), new.astype(X.dtypes.to_dict())]
        return pd.concat(parts, ignore_index=True)
    if sparse.issparse(X):
        fresh = sparse.csr_matrix(new.to_numpy().astype(X.dtype))
        return sparse.vstack([X, fresh], format=X.format)
    return np.concatenate([X, new.to_numpy().astype(X.dtype)])
