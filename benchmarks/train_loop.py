"""How much does `gm_lab.train.fit` cost over a hand-written PyTorch loop that does the same steps?"""

from statistics import median
from time import process_time

import torch

from benchmarks.common import in_turns, row, save, spread
from gm_lab.train import fit
from gm_lab.vae import VAE

STEPS, BATCH, REPEATS = 1000, 64, 9


def main() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(
        1
    )  # with one thread, processor time is the work done, whatever else the machine does
    images = (torch.rand(1300, 1, 8, 8) < 0.3).float()
    fit(VAE((1, 8, 8), 2), images, 10)  # the first call imports Lightning Fabric

    def hand_written() -> float:
        model = VAE((1, 8, 8), 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0, fused=True)
        start = process_time()
        order = torch.randperm(len(images))
        for step in range(STEPS):
            first = step * BATCH % (len(images) - BATCH)
            terms = model.loss(images[order[first : first + BATCH]])
            optimizer.zero_grad()
            terms["loss"].backward()
            optimizer.step()
        return process_time() - start

    def fitted() -> float:
        model = VAE((1, 8, 8), 2)
        start = process_time()
        fit(model, images, STEPS, batch_size=BATCH)
        return process_time() - start

    by_hand, by_fit = in_turns(REPEATS, hand_written, fitted)
    ratios = [ours / theirs for ours, theirs in zip(by_fit, by_hand, strict=True)]
    save(
        "train_loop",
        [
            row("fit over a hand-written loop, small VAE", median(ratios), "ratio", 1.05, spread(ratios)),
            row("one step of the hand-written loop", 1000 * median(by_hand) / STEPS, "ms"),
        ],
    )
    torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
