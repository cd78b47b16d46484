"""Rankings of items, with and without buckets."""

from crowdcore.kinds.ranking.coding import ranking_distance
from crowdcore.kinds.ranking.consensus import RankingResult, rankings

__all__ = ["RankingResult", "ranking_distance", "rankings"]
