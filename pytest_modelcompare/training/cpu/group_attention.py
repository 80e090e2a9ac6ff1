"""Attention over packed rows with its gradient written out, group by group.

The same as torch's, in fewer passes over memory: queries, keys and values are laid out
together, nothing is cast, and masks are integers. Shapes: B = rows · heads of a group,
L = its longest row, w = a head's width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from pytest_modelcompare.training.cpu.fast_dropout import apply_mask_, dropout_scale, drops_any, keep_mask
from pytest_modelcompare.training.cpu.unpadded import Group
from pytest_modelcompare.training.cpu.workspace import Workspace

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Heads:
    """How attention is computed."""

    count: int
    scaling: float
    p: float
    """Of dropout on the shares; 0 in evaluation."""


@dataclass(frozen=True, slots=True)
class KeptForGradient:
    """What the gradient of a group needs."""

    projected: torch.Tensor
    """(3, B, L, w): queries (scaled already), keys, values."""

    shares: torch.Tensor
    """(B, L, L)."""

    mask: torch.Tensor | None
    """As `keep_mask`; None without dropout."""

    dropped: torch.Tensor
    """`shares` with zeros where the mask has them."""


def attend_groups(
    groups: tuple[Group, ...], projected: torch.Tensor, heads: Heads, work: Workspace
) -> tuple[torch.Tensor, list[KeptForGradient]]:
    """What every token hears of its row.

    Args:
        projected: shape (tokens, 3 · width): queries, keys and values side by side. Tokens after those of the last
            group hear zeros.

    Returns:
        shape (tokens, width), and what `attend_groups_gradient` needs.
    """
    answers = work.empty(len(projected), projected.shape[1] // 3, dtype=projected.dtype)
    answers[groups[-1].tokens.stop :].zero_()
    kept = [attend_group(one, projected[one.tokens], answers[one.tokens], heads, work) for one in groups]
    return (answers.mul_(dropout_scale(heads.p)) if drops_any(heads.p) else answers), kept


def attend_group(
    group: Group, projected: torch.Tensor, answers: torch.Tensor, heads: Heads, work: Workspace
) -> KeptForGradient:
    """Fills `answers`."""
    apart = split_heads(group, projected, 3, heads.count, work)
    query, key, value = apart.unbind(0)
    query.mul_(heads.scaling)
    shares = work.empty(len(query), group.longest, group.longest, dtype=query.dtype)
    mask, dropped = None, shares
    if drops_any(heads.p):
        mask = keep_mask(shares, heads.p, work)
        dropped = work.empty(*shares.shape, dtype=shares.dtype)
    with work.scratch():
        products = torch.bmm(query, key.transpose(1, 2), out=work.empty(*shares.shape, dtype=shares.dtype))
        # torch's softmax of 16-bit numbers takes twice as long as that of fp32 with a cast before and after it
        scores = work.cast(products, torch.promote_types(shares.dtype, torch.float32))
        if not group.full:
            blind = torch.zeros_like(group.mask, dtype=scores.dtype).masked_fill_(~group.mask, -math.inf)
            scores.view(group.count, heads.count, *scores.shape[1:]).add_(blind)
        shares.copy_(aten._softmax.out(scores, -1, False, out=work.empty(*scores.shape, dtype=scores.dtype)))
        if mask is not None:
            apply_mask_(dropped.copy_(shares), mask)
        join_heads(
            group, torch.bmm(dropped, value, out=work.empty(*value.shape, dtype=value.dtype))[None], answers, work
        )
    return KeptForGradient(apart, shares, mask, dropped)


def attend_groups_gradient(
    groups: tuple[Group, ...], kept: list[KeptForGradient], gradient: torch.Tensor, heads: Heads, work: Workspace
) -> torch.Tensor:
    """The gradient of `projected`, shape (tokens, 3 · width), from that of the answers, which is changed."""
    found = work.empty(len(gradient), 3 * gradient.shape[1], dtype=gradient.dtype)
    found[groups[-1].tokens.stop :].zero_()
    if drops_any(heads.p):
        gradient.mul_(dropout_scale(heads.p))
    for group, one in zip(groups, kept, strict=True):
        with work.scratch():
            attend_group_gradient(group, one, gradient[group.tokens], found[group.tokens], heads, work)
    return found


def attend_group_gradient(
    group: Group, kept: KeptForGradient, gradient: torch.Tensor, found: torch.Tensor, heads: Heads, work: Workspace
) -> None:
    """Fills `found`."""
    (heard,) = split_heads(group, gradient, 1, heads.count, work)
    query, key, value = kept.projected.unbind(0)
    apart = work.empty(*kept.projected.shape, dtype=query.dtype)
    torch.bmm(kept.dropped.transpose(1, 2), heard, out=apart[2])
    shares = torch.bmm(heard, value.transpose(1, 2), out=work.empty(*kept.shares.shape, dtype=query.dtype))
    if kept.mask is not None:
        apply_mask_(shares, kept.mask)
    scores = work.empty(*shares.shape, dtype=shares.dtype)
    aten._softmax_backward_data.out(shares, kept.shares, -1, shares.dtype, grad_input=scores)
    torch.bmm(scores, key, out=apart[0]).mul_(heads.scaling)
    torch.bmm(scores.transpose(1, 2), query, out=apart[1])
    join_heads(group, apart, found, work)


def split_heads(group: Group, tokens: torch.Tensor, parts: int, heads: int, work: Workspace) -> torch.Tensor:
    """The group's tokens (n, parts · heads · w) as (parts, B, L, w), zeros where there is no token."""
    width = tokens.shape[1] // (parts * heads)
    found = work.empty(parts, group.count * heads, group.longest, width, dtype=tokens.dtype)
    with work.scratch():
        if not group.full:
            spread = work.empty(group.count * group.longest, tokens.shape[1], dtype=tokens.dtype)
            tokens = spread.zero_().index_copy_(0, group.places, tokens)
        rows = tokens.view(group.count, group.longest, parts, heads, width).permute(2, 0, 3, 1, 4)
        found.view(rows.shape).copy_(rows)
    return found


def join_heads(group: Group, apart: torch.Tensor, tokens: torch.Tensor, work: Workspace) -> None:
    """Fills `tokens` on the way back from `split_heads`."""
    parts, width = len(apart), apart.shape[-1]
    rows = apart.view(parts, group.count, -1, group.longest, width).permute(1, 3, 0, 2, 4)
    if group.full:
        tokens.view(rows.shape).copy_(rows)
        return
    padded = work.empty(*rows.shape, dtype=apart.dtype).copy_(rows)
    torch.index_select(padded.view(-1, tokens.shape[1]), 0, group.places, out=tokens)
