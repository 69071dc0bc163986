"""Generated road scenes with traffic lights in them, and things that look a little like one.

Numpy alone; a scene follows from its generator's state. Lights stand where cameras in cars see
them: anywhere, but mostly towards the middle and above the road, and always whole.
"""

import numpy as np
from numpy.typing import NDArray

# Rendered size; a detector of a smaller one sees scenes without their last rows and columns.
HEIGHT, WIDTH = 129, 193
LAMPS = {"red": (245, 50, 40), "amber": (250, 180, 40), "green": (50, 225, 130)}

Rng = np.random.Generator
Picture = NDArray[np.float64]


def scene(rng: Rng, lights: int | None = None) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture (129, 193, 3) of 0..255 and its lights' boxes (n, 4): x0, y0, x1, y1 in pixels.

    Args:
        lights: how many; None for one to three, or none in a fifth of the scenes.
    """
    picture = _sky(rng)
    horizon = int(rng.integers(58, 88))
    for _ in range(int(rng.integers(3, 8))):
        _building(picture, rng, horizon)
    for _ in range(int(rng.integers(0, 5))):
        _tree(picture, rng, horizon)
    _road(picture, rng, horizon)
    for _ in range(int(rng.integers(0, 4))):
        _car(picture, rng, horizon)
    for _ in range(int(rng.integers(2, 7))):
        _distractor(picture, rng)
    if lights is None:
        lights = 0 if rng.random() < 0.2 else int(rng.integers(1, 4))
    boxes: list[tuple[int, int, int, int]] = []
    for _ in range(lights):
        _place_light(picture, rng, boxes)
    picture = picture * rng.uniform(0.6, 1.15) + rng.uniform(-12, 12)
    picture += rng.normal(0, rng.uniform(1, 6), picture.shape)
    found = np.array(boxes, np.float64).reshape(-1, 4)
    return np.clip(picture, 0, 255).round().astype(np.uint8), found


def light(width: int, height: int, lamp: str, dim: float = 1.0, case: float = 28.0) -> Picture:
    """A traffic light (height, width, 3): a dark case with three lamps, one of them lit.

    Drawn at four times the size and averaged. A lamp of "" leaves all three dark.
    """
    fine = np.full((height * 4, width * 4, 3), case)
    ys, xs = np.mgrid[: height * 4, : width * 4]
    radius = min(width * 4 * 0.36, height * 4 / 3 * 0.42)
    for row, name in enumerate(LAMPS):
        middle = height * 4 * (row + 0.5) / 3
        inside = (ys + 0.5 - middle) ** 2 + (xs + 0.5 - width * 2) ** 2 < radius**2
        fine[inside] = np.array(LAMPS[name]) * dim if name == lamp else case * 1.7
    return fine.reshape(height, 4, width, 4, 3).mean((1, 3))


def _place_light(picture: Picture, rng: Rng, boxes: list[tuple[int, int, int, int]]) -> None:
    wide = int(rng.integers(6, 10))
    high = round(wide * rng.uniform(2.1, 2.6))
    y = round(rng.beta(2, 2.6) * (HEIGHT - high))
    x = round(rng.beta(2, 2) * (WIDTH - wide))
    if any(abs(x - b[0]) < 14 and abs(y - b[1]) < 28 for b in boxes):
        return
    if rng.random() < 0.7:  # on a pole
        middle = x + wide // 2
        picture[y + high :, middle : middle + 2] = rng.uniform(40, 110)
    lamp = str(rng.choice(list(LAMPS)))
    picture[y : y + high, x : x + wide] = light(
        wide, high, lamp, rng.uniform(0.75, 1.0), rng.uniform(15, 50)
    )
    boxes.append((x, y, x + wide, y + high))


def _sky(rng: Rng) -> Picture:
    top, low = rng.uniform(60, 220, 3), rng.uniform(120, 245, 3)
    share = np.linspace(0, 1, HEIGHT)[:, None, None]
    return np.broadcast_to(top * (1 - share) + low * share, (HEIGHT, WIDTH, 3)).copy()


def _building(picture: Picture, rng: Rng, horizon: int) -> None:
    wide, high = int(rng.integers(18, 60)), int(rng.integers(20, 75))
    x = int(rng.integers(-10, WIDTH - 8))
    top, left, right = max(horizon - high, 0), max(x, 0), max(x + wide, 0)
    picture[top : horizon + 6, left:right] = rng.uniform(50, 200) + rng.uniform(-20, 20, 3)
    step, size = int(rng.integers(6, 12)), int(rng.integers(3, 6))
    glass = rng.uniform(20, 120)
    for y in range(top + 3, horizon - size, step):
        for across in range(left + 3, min(right, WIDTH) - size, step):
            lit = rng.random() < 0.12
            colour = rng.uniform(120, 255, 3) if lit else np.full(3, glass)
            picture[y : y + size, across : across + size] = colour


def _tree(picture: Picture, rng: Rng, horizon: int) -> None:
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    y, x = horizon - rng.uniform(5, 25), rng.uniform(0, WIDTH)
    inside = ((ys - y) / rng.uniform(8, 18)) ** 2 + ((xs - x) / rng.uniform(7, 15)) ** 2 < 1
    picture[horizon - 8 : horizon + 4, int(x) : int(x) + 2] = (60, 45, 30)
    colour = np.array((40, 95, 40)) * rng.uniform(0.5, 1.4)
    picture[inside] = colour + rng.normal(0, 14, (int(inside.sum()), 1))


def _road(picture: Picture, rng: Rng, horizon: int) -> None:
    picture[horizon:] = rng.uniform(70, 150) + rng.uniform(-25, 25, 3)
    vanish, grey = rng.uniform(60, WIDTH - 60), rng.uniform(55, 120)
    reach = rng.uniform(60, 140)
    ys, xs = np.mgrid[horizon:HEIGHT, :WIDTH]
    share = (ys - horizon + 2) / (HEIGHT - horizon)
    part = picture[horizon:]
    part[np.abs(xs - vanish) < reach * share] = grey
    dashes = (np.abs(xs - vanish) < 2.2 * share) & ((ys - horizon) % 14 < 8)
    part[dashes] = 215


def _car(picture: Picture, rng: Rng, horizon: int) -> None:
    y = int(rng.integers(horizon, HEIGHT - 12))
    wide = int(10 + (y - horizon) * 0.55)
    high, x = int(wide * 0.7), int(rng.integers(0, WIDTH - wide))
    colour = rng.uniform(20, 220, 3)
    picture[y - high : y, x : x + wide] = colour
    picture[y - high + 2 : y - high // 2, x + 2 : x + wide - 2] = 40
    lamp = max(wide // 7, 2)
    for left in (x + 1, x + wide - 1 - lamp):
        picture[y - high // 2 : y - high // 2 + lamp, left : left + lamp] = (230, 40, 35)


def _distractor(picture: Picture, rng: Rng) -> None:
    """A dark case without a lit lamp, a sign, a lamp without a case, or a pole."""
    wide = int(rng.integers(5, 11))
    y, x = int(rng.integers(0, 95)), int(rng.integers(0, WIDTH - wide))
    kind = int(rng.integers(0, 4))
    if kind == 0:
        high = round(wide * rng.uniform(1.5, 2.6))
        picture[y : y + high, x : x + wide] = light(wide, high, "", case=rng.uniform(15, 60))
    elif kind == 1:
        picture[y : y + wide, x : x + wide] = rng.uniform(0, 255, 3)
        picture[y + 2 : y + wide - 2, x + 2 : x + wide - 2] = rng.uniform(0, 255, 3)
    elif kind == 2:
        lamp = LAMPS[str(rng.choice(list(LAMPS)))]
        picture[y : y + wide // 2, x : x + wide // 2] = lamp
    else:
        picture[y:, x : x + 2] = rng.uniform(30, 130)
