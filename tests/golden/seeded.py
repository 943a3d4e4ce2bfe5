"""Numbers from a seed that Rust repeats: Knuth's MMIX generator, as `Rng` in crates/data/src/rng.rs."""
import torch


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def unit(self, count):
        """`count` numbers in [-1, 1), the upper 24 bits of each state."""
        state, values = self.state, []
        for _ in range(count):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            values.append((state >> 40) / 8388608 - 1)
        self.state = state
        return torch.tensor(values, dtype=torch.float64)

    def photo(self, size):
        """Bytes of a square RGB photo [size, size, 3]."""
        return ((self.unit(size * size * 3) + 1) * 128).floor().to(torch.uint8).reshape(size, size, 3)


def sample(values, step):
    """Every step-th value in row-major order with 7 digits, and the largest magnitude of all."""
    flat = values.reshape(-1)
    return dict(shape=list(values.shape), step=step, largest=float("%.7g" % flat.abs().max()),
                values=[float("%.7g" % v) for v in flat[::step]])
