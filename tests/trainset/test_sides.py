"""dlcnb.trainset.sides and survey: whose twin is who, and that no mirrored picture ever carries the wrong name."""

import numpy as np
import pytest

from dlcnb import TrainConfig
from dlcnb.augment import Augmentation
from dlcnb.trainset import mirror_order, plan
from dlcnb.trainset.sides import one_sided

# The same four limbs as labs name them: left front, right front, left hind, right hind.
STYLES = [
    "leftfrontpaw rightfrontpaw lefthindpaw righthindpaw",
    "left_front_paw right_front_paw left_hind_paw right_hind_paw",
    "front_left front_right hind_left hind_right",
    "LeftFront RightFront LeftHind RightHind",
    "LEFTFRONT RIGHTFRONT LEFTHIND RIGHTHIND",
    "frontLeft frontRight hindLeft hindRight",
    "Left-Front Right-Front Left-Hind Right-Hind",
    "front.left front.right hind.left hind.right",
    "Left front Right front Left hind Right hind",
    "LF RF LH RH",
    "lf rf lh rh",
    "FL FR HL HR",
    "fl fr hl hr",
    "pawLF pawRF pawLH pawRH",
    "paw_LF paw_RF paw_LH paw_RH",
    "paw_lf paw_rf paw_lh paw_rh",
    "LFpaw RFpaw LHpaw RHpaw",
    "LF_paw RF_paw LH_paw RH_paw",
    "FLpaw FRpaw HLpaw HRpaw",
    "pawFL pawFR pawHL pawHR",
    "paw1LF paw2RF paw3LH paw4RH",
    "paw2LF_top paw3RF_top paw1LH_top paw4RH_top",
    "forepawL forepawR hindpawL hindpawR",
    "forepaw_L forepaw_R hindpaw_L hindpaw_R",
    "forepaw_l forepaw_r hindpaw_l hindpaw_r",
    "forepaw-l forepaw-r hindpaw-l hindpaw-r",
    "forepaw.L forepaw.R hindpaw.L hindpaw.R",
    "L_forepaw R_forepaw L_hindpaw R_hindpaw",
    "l_forepaw r_forepaw l_hindpaw r_hindpaw",
    "Lforepaw Rforepaw Lhindpaw Rhindpaw",
    "lForepaw rForepaw lHindpaw rHindpaw",
    "lforepaw rforepaw lhindpaw rhindpaw",
    "forelegL1 forelegR1 hindlegL1 hindlegR1",
    "forelegL4 forelegR4 hindlegL4 hindlegR4",
    "L1 R1 L2 R2",
    "leg1L leg1R leg2L leg2R",
    "Lt_fore Rt_fore Lt_hind Rt_hind",
    "fore_lt fore_rt hind_lt hind_rt",
    "lhs_fore rhs_fore lhs_hind rhs_hind",
    "VorneLinks VorneRechts HintenLinks HintenRechts",
    "pfote_links pfote_rechts hinten_links hinten_rechts",
    "patteAvG patteAvD patteArG patteArD",
    "patte_avant_gauche patte_avant_droite patte_arriere_gauche patte_arriere_droite",
    "pata_izquierda pata_derecha trasera_izquierda trasera_derecha",
    "pata_izq pata_der trasera_izq trasera_der",
    "zampa_sx zampa_dx dietro_sx dietro_dx",
    "zampaSinistra zampaDestra dietroSinistra dietroDestra",
    "pata_esquerda pata_direita traseira_esquerda traseira_direita",
    "前足左 前足右 後足左 後足右",
    "左前足 右前足 左後足 右後足",
    "лев_перед прав_перед лев_зад прав_зад",
]
SIDE = np.array([1, -1, 1, -1, 0, 0])
BODY = np.array([[30.0, 14], [30, -14], [-25, 12], [-25, -12], [50, 0], [-50, 0]])  # limbs, snout, tailbase


def _names(style):
    words = style.split()
    if len(words) == 8:  # names with a space in them
        words = [" ".join(words[i : i + 2]) for i in range(0, 8, 2)]
    return [*words, "snout", "tailbase"]


def _frames(rng, n=40):
    """A body seen from above, turned all around: float (n, 6, 2)."""
    angle = rng.uniform(-np.pi, np.pi, n)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(n, 2, 2)
    body = BODY + rng.normal(0, 2, (n, *BODY.shape))
    return np.einsum("nij,nkj->nki", turn, body) + rng.uniform(120, 200, (n, 1, 2))


def _sides(points):
    """On which side of the axis from tailbase to snout each limb is: int (4,), 1 for the one that `SIDE` calls 1."""
    snout, tail = points[4], points[5]
    along, off = snout - tail, points[:4] - tail
    return np.sign(along[0] * off[:, 1] - along[1] * off[:, 0]).astype(int)


def test_there_are_forty_styles_and_each_has_its_twins():
    assert len(STYLES) >= 40
    for style in STYLES:
        order = mirror_order(_names(style))
        assert order is not None, style
        assert order.tolist() == [1, 0, 3, 2, 4, 5], style
        assert one_sided(_names(style)) == []


@pytest.mark.parametrize("style", STYLES)
def test_no_crop_calls_a_left_limb_a_right_one(style):
    rng = np.random.default_rng(0)
    points, names = _frames(rng), _names(style)
    config = plan(TrainConfig(steps=1), names, points, [(320, 320)] * len(points)).config
    assert config.mirror
    augment = Augmentation(config.crop_shape, config.input_scale, rotation=config.rotation, mirror=mirror_order(names))
    image, mirrored = np.zeros((320, 320, 3), np.uint8), 0
    for frame in points:
        matrix, _ = augment.matrix(image.shape[:2], frame, np.random.default_rng(rng.integers(1 << 32)))
        mirrored += np.linalg.det(matrix[:, :2]) < 0
        drawn = augment(image, frame, np.random.default_rng(rng.integers(1 << 32)))[1]
        np.testing.assert_array_equal(_sides(drawn), SIDE[:4])
    assert mirrored


@pytest.mark.parametrize(
    "names",
    [
        ["snout", "leftear", "tailbase"],
        ["pawLH", "pawRF", "snout"],
        ["eyeL", "nose", "mouth"],
        ["hand_l", "elbow_l", "shoulder_l"],
        ["wing_R", "head", "tail"],
        ["paw1LH", "paw2LF", "nose"],
        ["OhrLinks", "Nase", "Schwanz"],
        ["左耳", "鼻", "尾"],
    ],
)
def test_a_side_without_a_twin_is_never_mirrored(names):
    assert mirror_order(names) is None
    assert one_sided(names)
    points = np.random.default_rng(1).uniform(0, 200, (30, len(names), 2))
    made = plan(TrainConfig(steps=1), names, points, [(200, 200)] * 30)
    assert not made.config.mirror
    assert any("twin" in reason for reason in made.decisions)


@pytest.mark.parametrize(
    "names",
    [["snout", "tail1", "tail2"], ["leg", "rump", "rear"], ["Hand", "Finger1", "Tongue"], ["tongueTip1", "tongueTip2"]],
)
def test_names_without_a_side_are_their_own_mirror_images(names):
    assert mirror_order(names).tolist() == list(range(len(names)))


def test_two_views_in_one_picture_are_not_mirrored():
    rng = np.random.default_rng(2)
    frames = _frames(rng)
    upright = BODY + rng.normal(0, 3, (40, *BODY.shape)) + [200, 60]  # from above, always walking to the right
    below = BODY * [1, 0.3] + rng.normal(0, 3, (40, *BODY.shape)) + [200, 150]  # from the side, below it
    both = np.concatenate([upright, below], 1)
    names = [f"{name}_{view}" for view in ("top", "side") for name in _names("LF RF LH RH")]
    assert mirror_order(names) is not None
    assert not plan(TrainConfig(steps=1), names, both, [(220, 400)] * 40).config.mirror
    assert plan(TrainConfig(steps=1), names[:6], frames, [(320, 320)] * 40).config.mirror


def test_swapped_sides_in_the_names_alone_are_not_trusted():
    """Names that look like twins, on parts of a contour that are none."""
    t = np.linspace(0, 1, 6)
    contour = np.stack([100 * t, 60 * t**2], -1) + np.random.default_rng(3).normal(0, 2, (30, 6, 2)) + 50
    names = ["tipL", "tipR", "bodyL", "bodyR", "rootL", "rootR"]
    assert not plan(TrainConfig(steps=1), names, contour, [(240, 320)] * 30).config.mirror
