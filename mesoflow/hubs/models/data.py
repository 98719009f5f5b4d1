"""The Data Hub: snapshots and streams of prices, greeks and profit."""

from pydantic import Field

from mesoflow.hubs.models.base import Args, Wire
from mesoflow.hubs.models.contracts import LiveContract, LiveUnderlying
from mesoflow.hubs.models.enums import AProvider, Include, LiveDataInclude, LiveQuoteFields, QuoteFields
from mesoflow.hubs.models.prices import LiveGreeks, LivePnL, LivePrices


class PositionDataArgs(Args):
    """Which position, which blocks of it, on which bases. `provider` null: the position's own."""

    position_id: int
    price_fields: QuoteFields = LiveQuoteFields.ALL
    greek_fields: QuoteFields = LiveQuoteFields.ALL
    pnl_fields: QuoteFields = Field(default=LiveQuoteFields.ALL, alias="PnlFields")
    include_position: Include
    include_legs: Include
    include_leg_groups: Include
    provider: AProvider | None = None


class StreamPositionDataArgs(PositionDataArgs):
    """For the stream."""


class GetPositionSnapshotArgs(PositionDataArgs):
    """For the snapshot."""


class PositionDataEntry(Wire):
    """Figures of a position; a block that was not included is null. Keys are live leg ids and leg group ids."""

    position_prices: LivePrices | None = None
    position_greeks: LiveGreeks | None = None
    position_pnls: LivePnL | None = None
    leg_prices: dict[int, LivePrices] | None = None
    leg_greeks: dict[int, LiveGreeks] | None = None
    leg_pnls: dict[int, LivePnL] | None = None
    leg_group_prices: dict[int, LivePrices] | None = None
    leg_group_greeks: dict[int, LiveGreeks] | None = None
    leg_group_pnls: dict[int, LivePnL] | None = None


class LegDataArgs(Args):
    """Which leg; otherwise as for a position."""

    leg_id: int
    price_fields: QuoteFields = LiveQuoteFields.ALL
    greek_fields: QuoteFields = LiveQuoteFields.ALL
    pnl_fields: QuoteFields = Field(default=LiveQuoteFields.ALL, alias="PnlFields")
    include: Include
    provider: AProvider | None = None


class StreamLegDataArgs(LegDataArgs):
    """For the stream."""


class GetLegSnapshotArgs(LegDataArgs):
    """For the snapshot."""


class LegDataEntry(Wire):
    """Figures of one leg."""

    prices: LivePrices | None = None
    greeks: LiveGreeks | None = None
    pnl: LivePnL | None = None


class LegsDataArgs(Args):
    """Which legs; otherwise as for a position."""

    leg_ids: list[int]
    price_fields: QuoteFields = LiveQuoteFields.ALL
    greek_fields: QuoteFields = LiveQuoteFields.ALL
    pnl_fields: QuoteFields = Field(default=LiveQuoteFields.ALL, alias="PnlFields")
    include: Include
    provider: AProvider | None = None


class StreamLegsDataArgs(LegsDataArgs):
    """For the stream."""


class GetLegsSnapshotArgs(LegsDataArgs):
    """For the snapshot."""


class LegsDataEntry(Wire):
    """Figures of legs, by live leg id."""

    leg_prices: dict[int, LivePrices] | None = None
    leg_greeks: dict[int, LiveGreeks] | None = None
    leg_pnls: dict[int, LivePnL] | None = None


class UnderlyingDataArgs(Args):
    """Which underlying. The provider is mandatory."""

    underlying: LiveUnderlying
    price_fields: QuoteFields = LiveQuoteFields.ALL
    include: Include = LiveDataInclude.PRICES
    provider: AProvider


class StreamUnderlyingDataArgs(UnderlyingDataArgs):
    """For the stream."""


class GetUnderlyingSnapshotArgs(UnderlyingDataArgs):
    """For the snapshot."""


class UnderlyingDataEntry(Wire):
    """Prices of an underlying."""

    prices: LivePrices | None = None


class ContractDataArgs(Args):
    """Which contract. The provider is mandatory."""

    contract: LiveContract
    price_fields: QuoteFields = LiveQuoteFields.ALL
    greek_fields: QuoteFields = LiveQuoteFields.ALL
    include: Include
    provider: AProvider


class StreamContractDataArgs(ContractDataArgs):
    """For the stream."""


class GetContractSnapshotArgs(ContractDataArgs):
    """For the snapshot."""


class ContractDataEntry(Wire):
    """Figures of one contract."""

    prices: LivePrices | None = None
    greeks: LiveGreeks | None = None


class ComboContractsDataArgs(Args):
    """Which contracts make the package (inferred.py, `combo_ratio`). The provider is mandatory."""

    contracts: list[LiveContract]
    price_fields: QuoteFields = LiveQuoteFields.ALL
    greek_fields: QuoteFields = LiveQuoteFields.ALL
    include: Include
    provider: AProvider


class StreamComboContractsDataArgs(ComboContractsDataArgs):
    """For the stream."""


class GetComboContractsSnapshotArgs(ComboContractsDataArgs):
    """For the snapshot."""


class ComboContractsDataEntry(Wire):
    """Figures of a package of contracts."""

    prices: LivePrices | None = None
    greeks: LiveGreeks | None = None
