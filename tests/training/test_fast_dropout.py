from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from pytest_modelcompare.training.cpu.fast_dropout import attention_with_dropout, fast_dropout
from pytest_modelcompare.training.forward import Forward


def test_the_share_kept_is_one_minus_p_and_the_mean_stays():
    torch.manual_seed(0)
    found = fast_dropout(torch.ones(1_000_000), 0.1)
    kept = (found != 0).float().mean().item()
    assert kept == pytest.approx(0.9, abs=0.002)  # standard error .0003
    assert found.mean().item() == pytest.approx(1.0, abs=0.002)
    assert found.max().item() == pytest.approx(1 / 0.9, rel=1e-4)


def test_elements_are_dropped_independently():
    # four elements share one 64-bit number: neighbours must be dropped together as often as chance has it, p · p
    torch.manual_seed(1)
    dropped = (fast_dropout(torch.ones(4_000_000), 0.25) == 0).view(-1, 4).float()
    together = (dropped.T @ dropped) / len(dropped)
    expected = torch.full((4, 4), 0.0625) + torch.diag(torch.full((4,), 0.1875))
    assert torch.allclose(together, expected, atol=0.002)


def test_the_gradient_passes_where_the_element_did():
    x = torch.ones(999, requires_grad=True)
    found = fast_dropout(x, 0.5)
    found.sum().backward()
    assert torch.equal(x.grad, found.detach())


def test_the_mask_is_the_seeds():
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(fast_dropout(torch.ones(1000), 0.5))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nothing_and_everything_can_be_dropped(p):
    assert fast_dropout(torch.ones(8), p).tolist() == [1.0 - p] * 8


def test_attention_is_torchs_in_the_mean():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 2, 5, 8).unbind(0)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])[:, None, None]
    expected = functional.scaled_dot_product_attention(query, key, value, mask)
    found = torch.stack([attention_with_dropout(query, key, value, mask, 0.1) for _ in range(4000)]).mean(dim=0)
    assert torch.allclose(found, expected, atol=0.03)
    assert not torch.allclose(attention_with_dropout(query, key, value, mask, 0.5), expected, atol=0.03)


def test_a_models_own_dropout_is_left_alone_in_evaluation():
    layer = torch.nn.Dropout(0.5).eval()
    with Forward(fast_dropout=True):
        assert layer(torch.ones(100)).sum().item() == 100
