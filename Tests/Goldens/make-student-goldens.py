#!/usr/bin/env python3
"""Writes Tests/ModelsTests/Goldens/student-*.safetensors: tiny random students with the logits, the losses and the
gradient of every tensor that PyTorch computes for them.

    python Tests/Goldens/make-student-goldens.py          (needs torch and safetensors)

Each file holds the weights under their names in model.safetensors, `ids`, `offsets`, `buckets`, `bucket_offsets`,
`labels` and `teacher` as f32, the results `logits` and `loss`, and `grad.<name>`; its metadata holds the configuration.
"""
import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

OUT = pathlib.Path(__file__).resolve().parent.parent / "ModelsTests" / "Goldens"

CASES = {
    # name: (V, E, H, D, labels, poolings, shortcut buckets, input, line lengths, loss, lambda, temperature)
    "last": (11, 5, 3, 4, 2, ["last"], 0, "tokens", [4, 1, 7, 7], "mse", 0.0, 1.0),
    "max": (30, 16, 16, 12, 5, ["max"], 0, "tokens", [3, 9, 1, 0, 5, 9], "kl", 0.3, 2.0),
    "mean": (20, 8, 20, 6, 3, ["mean"], 64, "tokens", [1, 2, 3, 4], "mse", 0.5, 1.0),
    "all": (40, 12, 24, 10, 15, ["max", "mean", "last"], 32, "tokens", [6, 0, 13, 2, 2, 8, 1], "kl", 0.0, 3.0),
    "sentence-vector": (25, 10, 7, 5, 4, ["last"], 0, "sentence-vector", [5, 1, 3], "mse", 1.0, 1.0),
    "single": (9, 4, 2, 3, 2, ["max"], 16, "tokens", [6], "kl", 0.5, 1.5),
}


def main():
    for index, (name, case) in enumerate(CASES.items()):
        torch.manual_seed(100 + index)
        V, E, H, D, C, poolings, buckets, source, lengths, loss_kind, lam, T = case
        r = lambda *shape, s=0.5: (torch.randn(*shape, dtype=torch.float32) * s).requires_grad_()
        w = {"embedding.weight": r(V, E)}
        for d in ("forward", "backward"):
            w[f"lstm.{d}.weight_ih"] = r(4 * H, E)
            w[f"lstm.{d}.weight_hh"] = r(4 * H, H)
            w[f"lstm.{d}.bias"] = r(4 * H)
        w["dense.weight"], w["dense.bias"] = r(D, 2 * H * len(poolings)), r(D)
        w["classifier.weight"], w["classifier.bias"] = r(C, D), r(C)
        if buckets:
            w["shortcut.weight"] = r(buckets, C)
        ids = [torch.randint(0, V, (n,)) for n in lengths]
        grams = [torch.randint(0, buckets, (3 * n,)) if buckets else torch.zeros(0, dtype=torch.long) for n in lengths]
        labels = [(i * 7) % C if i % 3 != 2 else -1 for i in range(len(lengths))]
        teacher = torch.randn(len(lengths), C) * 2

        lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        names = {"weight_ih": "weight_ih_l0", "weight_hh": "weight_hh_l0", "bias": "bias_ih_l0"}
        params = {}
        for d, suffix in (("forward", ""), ("backward", "_reverse")):
            for ours, theirs in names.items():
                params[theirs + suffix] = w[f"lstm.{d}.{ours}"]
            params["bias_hh_l0" + suffix] = torch.zeros(4 * H)

        logits, loss = [], 0.0
        for line, gram, label, t in zip(ids, grams, labels, teacher):
            pooled = []
            if source == "sentence-vector":
                x = w["embedding.weight"][line].mean(0, keepdim=True) if len(line) else torch.zeros(1, E)
            else:
                x = w["embedding.weight"][line]
            if len(x):
                out, (h, _) = torch.func.functional_call(lstm, params, (x[None],))
                for p in poolings:
                    pooled.append({"last": torch.cat([h[0], h[1]], -1)[0], "max": out[0].max(0).values,
                                   "mean": out[0].mean(0)}[p])
            else:
                pooled.append(torch.zeros(2 * H * len(poolings)))
            dense = torch.relu(w["dense.weight"] @ torch.cat(pooled) + w["dense.bias"])
            y = w["classifier.weight"] @ dense + w["classifier.bias"]
            if len(gram):
                y = y + w["shortcut.weight"][gram].sum(0) / math.sqrt(len(gram))
            logits.append(y)
            share = 1 - lam if label >= 0 else 1.0
            if label >= 0:
                loss = loss + lam * nn.functional.cross_entropy(y[None], torch.tensor([label]))
            if loss_kind == "mse":
                loss = loss + share * ((y - t) ** 2).mean()
            else:
                kl = nn.functional.kl_div(torch.log_softmax(y / T, -1), torch.log_softmax(t / T, -1),
                                          reduction="sum", log_target=True)
                loss = loss + share * T * T * kl
        loss.backward()
        f = lambda values: torch.tensor(values, dtype=torch.float32)
        offsets = lambda parts: f([0] + list(torch.tensor([len(p) for p in parts]).cumsum(0)))
        state = {k: v.detach() for k, v in w.items()}
        state |= {"grad." + k: v.grad if v.grad is not None else torch.zeros_like(v) for k, v in w.items()}
        state |= {"ids": torch.cat(ids).float(), "offsets": offsets(ids), "buckets": torch.cat(grams).float(),
                  "bucket_offsets": offsets(grams), "labels": f(labels), "teacher": teacher,
                  "logits": torch.stack(logits).detach(), "loss": loss.detach()[None]}
        config = dict(model_type="understudy-bilstm", version=name, input=source, vocab_size=V, embedding_size=E,
                      hidden_size=H, dense_size=D, pooling=poolings, shortcut_buckets=buckets, maximum_tokens=128,
                      labels=[f"label-{i}" for i in range(C)])
        meta = {"config": json.dumps(config), "loss": loss_kind, "lambda": str(lam), "temperature": str(T),
                "made-by": "Tests/Goldens/make-student-goldens.py"}
        save_file({k: v.contiguous() for k, v in state.items()}, OUT / f"student-{name}.safetensors", metadata=meta)
        print(name, "loss", loss.item())


if __name__ == "__main__":
    main()
