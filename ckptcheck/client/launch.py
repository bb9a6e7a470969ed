"""What the launch script decides: the kind of variables, and a distribution strategy."""

import dataclasses
from typing import Iterable, Optional, Tuple

from ..graph.graph import Graph
from ..graph.launch import behavior, has_strategy, restores_iterators
from ..protocol import Environment, FinishedTrace, ModeTrace
from ..results import Launch


@dataclasses.dataclass(frozen=True)
class LaunchContext:
    """What is known about the launch before the first trace.

    Attributes:
        launch: the kind of variables, and why.
        major: TensorFlow's major version.
        strategy: whether TRAIN ran under a distribution strategy.
        iterators: whether the saver restored iterators of the input_fn.
        saved: whether there is a saved graph. It shows all of these.
        given: whether the user gave the kind of variables.
    """

    launch: Launch
    major: int
    strategy: bool = False
    iterators: bool = False
    saved: bool = False
    given: bool = False

    @property
    def asked_behavior(self) -> str:
        """The behavior for the tracer's requests; "" means TensorFlow's default."""
        default = "v1" if self.major < 2 else "v2"
        return "" if self.launch.behavior == default else self.launch.behavior

    def not_judged(self, given: bool) -> Tuple[str, ...]:
        """Facts about the launch that could not be found out.

        Args:
            given: whether the user gave the features.
        """
        if not self.saved:
            return () if self.given else (_NO_GRAPH,)
        found = [_NOT_DISTRIBUTED] if self.strategy else []
        return (*found, _ITERATORS) if self.iterators and not given else tuple(found)


_STRATEGY = (
    "the graph was saved under a distribution strategy, which creates resource variables in TRAIN"
)
_NOT_DISTRIBUTED = (
    "what the distribution strategy changes besides the kind of variables in TRAIN. If TARGET is a "
    "model_fn, it is also unknown whether EVAL has a strategy (eval_distribute): give the "
    "Estimator or its factory as TARGET to be sure"
)

_NO_GRAPH = (
    "whether the code creates reference or resource variables: there is no saved graph (give "
    "--behavior to be sure)"
)
_ITERATORS = (
    "whether the iterators of the input_fn are still restored with the variables, as in the saved "
    "graph (give --input-fn to be sure)"
)


def launch_context(asked: str, environment: Environment, graph: Optional[Graph]) -> LaunchContext:
    """Finds out what the launch script decides.

    Args:
        asked: ``--behavior``.
        environment: the TensorFlow that traces.
        graph: the saved graph; None if there is none.
    """
    head = environment.tensorflow.partition(".")[0]
    major = int(head) if head.isdigit() else 2
    if graph is None:
        launch = _launch(asked, environment, major, None, False)
        return LaunchContext(launch, major, given=asked != "auto")
    strategy = has_strategy(graph)
    launch = _launch(asked, environment, major, graph, strategy)
    return LaunchContext(launch, major, strategy, restores_iterators(graph), True)


def _launch(
    asked: str, environment: Environment, major: int, graph: Optional[Graph], strategy: bool
) -> Launch:
    """Returns the kind of variables that the launch script makes, and the reason."""
    if asked != "auto":
        return Launch(asked, f"--behavior {asked}")
    default = Launch(
        "v1" if major == 1 else "v2", f"the default of TensorFlow {environment.tensorflow}"
    )
    if strategy:
        return dataclasses.replace(default, reason=f"{default.reason}; {_STRATEGY}")
    if graph is None or graph.tensorflow.partition(".")[0] != str(major):
        return default
    saved = behavior(graph)
    if not saved:
        return default
    return Launch(saved, f"as in the graph saved by TensorFlow {graph.tensorflow}")


def traced_launch(launch: Launch, traces: Iterable[ModeTrace]) -> Launch:
    """Returns the launch after the traces: the user's module may switch the behavior itself."""
    for trace in traces:
        if isinstance(trace, FinishedTrace) and trace.behavior not in ("", launch.behavior):
            return Launch(trace.behavior, "the code itself chooses them")
    return launch
