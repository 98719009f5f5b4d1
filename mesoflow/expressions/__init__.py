"""What stands between {{ and }}: a strict, bounded language on Jinja2's grammar, evaluated without generating Python."""

from mesoflow.expressions.analyse import Reference, references
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.evaluate import evaluate
from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.unknown import Unknown

__all__ = ["ExpressionError", "Reference", "Scope", "StepView", "Unknown", "evaluate", "references"]
