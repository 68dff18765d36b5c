"""The pages of patients, and of those who act for them: appointments, the record, who opened it, and messages."""

from __future__ import annotations

from frontend.controllers.mine import appointments, booking, messages, record
from frontend.controllers.mine.whose import area

__all__ = ["appointments", "area", "booking", "messages", "record"]
