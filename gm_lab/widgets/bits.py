"""What a symbol costs: entropy, cross-entropy and KL divergence as areas."""

import traitlets

from gm_lab.widgets.base import BookWidget, Numbers, source


class Probabilities(Numbers):
    """Four probabilities that sum to one."""

    def validate(self, obj, value):
        numbers = super().validate(obj, value)
        if abs(sum(numbers) - 1) > 1e-6:
            raise ValueError(f"{self.name} must sum to 1, got a sum of {sum(numbers):g}")
        return numbers


class Bits(BookWidget):
    """Four symbols with probabilities p, coded with a code built for q: each costs -log₂ q bits.

    A rectangle as wide as p and as high as the code length has the area of the expected cost. The areas
    add up to the entropy H(p) for the best code and to the cross-entropy H(p, q) for q's code; KL(p‖q) is the
    difference.

    Task: set q to p and see the difference vanish; then make a code that wastes more than two bits a symbol.

    p, q: four probabilities in [0.01, 0.97], draggable; the others rescale. symbols: their four names.
    All values in bits.

    Source: Cover and Thomas (2006), Elements of Information Theory, theorem 5.4.3.
    """

    _esm = source("bits.js")
    heights = (365, 767)
    p = Probabilities([0.5, 0.25, 0.125, 0.125], 0.01, 0.97, 4)
    q = Probabilities([0.15, 0.15, 0.2, 0.5], 0.01, 0.97, 4)
    symbols = traitlets.List(["A", "B", "C", "D"]).tag(sync=True)

    @traitlets.validate("symbols")
    def _four_words(self, proposal):
        symbols = proposal["value"]
        if len(symbols) != 4 or not all(isinstance(symbol, str) for symbol in symbols):
            raise ValueError(f"symbols must be four strings, got {symbols!r}")
        return symbols
