"""An older path of the results of `fetch`. New programs import them from `imapclient.response_types`."""

from __future__ import annotations

from ._parsing.fetch.results import FetchIterator, FetchResult, ItemResult

__all__ = ["FetchIterator", "FetchResult", "ItemResult"]
