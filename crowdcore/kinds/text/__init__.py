"""Free texts: transcriptions, translations, captions, answers."""

from crowdcore.kinds.text.alignment import text_distance
from crowdcore.kinds.text.consensus import texts
from crowdcore.kinds.text.result import Place, TextResult

__all__ = ["Place", "TextResult", "text_distance", "texts"]
