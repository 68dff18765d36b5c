"""placeholder"""
from dataclasses import dataclass, field
@dataclass
class Shown:
    accounts: dict = field(default_factory=dict)
    password: str = ""
def place_of(house): return house
def load(place, *, say): return Shown()
