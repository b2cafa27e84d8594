"""Violations to plant in a finished October case, each with the law that must report it."""

from tests.support.planting import cells, desk, events, fen, figures, outside
from tests.support.planting.outside import STRANGER
from tests.support.planting.plant import Plant
from tests.support.planting.topics import TOPIC_PLANTS, TopicPlant

STORE_PLANTS: tuple[Plant, ...] = (
    *cells.PLANTS,
    *fen.PLANTS,
    *figures.PLANTS,
    *events.PLANTS,
    *desk.PLANTS,
    *outside.PLANTS,
)
"""By SQL, to be rolled back by whoever plants them."""

__all__ = ["STORE_PLANTS", "STRANGER", "TOPIC_PLANTS", "Plant", "TopicPlant"]
