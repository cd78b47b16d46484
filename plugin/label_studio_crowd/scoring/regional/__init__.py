"""What is said about regions that other controls mark: answers about single ones, and relations between them."""

from label_studio_crowd.scoring.regional.about import believe_about
from label_studio_crowd.scoring.regional.twins import with_shared_ids

__all__ = ["believe_about", "with_shared_ids"]
