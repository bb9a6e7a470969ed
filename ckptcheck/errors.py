"""The exceptions that ckptcheck raises."""


class UsageError(Exception):
    """An argument is wrong, or ckptcheck could not complete the command (exit code 2).

    The message says what is wrong, what was expected, and what to do next.
    """


class UnknownFeaturesError(UsageError):
    """The features cannot be found, so the user has to specify them.

    Attributes:
        problem: why they cannot be found, without the advice.
    """

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(f"{problem}. {advice}")
        self.problem = problem


class MissingTargetError(UsageError):
    """TARGET is not given, and no record gives it."""


class HiddenParamError(UsageError):
    """The code reads a param whose value a record could not hold."""


class NoSuchCodeError(UsageError):
    """TARGET, or an option, names code that does not exist."""


class MissingThenError(UsageError):
    """A revision has no code to compare with: no commit exists yet, or TARGET is not in it."""


class TracerLostError(UsageError):
    """The process that traces the code ended, or no longer answers."""


class PythonError(TracerLostError):
    """The Python that was named cannot run the code."""

    def at(self, place: str) -> UsageError:
        """Returns the error for a Python that the configuration names.

        Args:
            place: the line that names it; "" if the command line names it, or nothing does.
        """
        if not place:
            return self
        return UsageError(f"{place}: {str(self).replace('--python', 'python')}")


def being_written(named: str) -> UsageError:
    """Returns the error for a model_dir whose files changed during every try to read them."""
    return UsageError(
        f"{named} is being written: its files changed each time that ckptcheck read them (a "
        f"training run may be saving there). Try again, or check a copy of it"
    )
