#!/usr/bin/env python3
"""Makes the goldens of the teacher's tests from Hugging Face Transformers and PyTorch.

    python Tests/Goldens/make-teacher-goldens.py

Needs torch, transformers and safetensors; writes
  Tests/ModelsTests/Goldens/teacher/<case>/        config.json, model.safetensors (as Transformers writes them) and
                                                   expected.json: token ids of some lines and their logits
  Tests/DistillationTests/Goldens/teacher/<case>/  the same, plus gradients.safetensors (of the mean cross-entropy, for
                                                   every tensor) and the losses of ten AdamW steps in expected.json
All weights are random from the seeds below, and rounded to f16 where the file stores f16. The models are tiny; nothing
in them comes from any data.
"""
import json
import os
import random
import shutil

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForSequenceClassification, BertModel

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
torch.set_num_threads(1)
CLS, SEP = 1, 2


def line(rng, length, vocabulary):
    """[CLS] length − 2 random pieces [SEP]"""
    return [CLS] + [rng.randrange(3, vocabulary) for _ in range(length - 2)] + [SEP]


def config(labels, **sizes):
    return BertConfig(
        id2label={i: f"label {i}" for i in range(labels)}, label2id={f"label {i}": i for i in range(labels)},
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=0, **sizes)


def spread(model, seed):
    """Random weights large enough for the logits to tell mistakes apart (BERT's own start gives almost the same logits
    for every line)."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            if "LayerNorm.weight" in name:
                weight.copy_(1 + 0.2 * noise)
            elif weight.dim() == 1:
                weight.copy_(0.1 * noise)
            elif "embeddings" in name:
                weight.copy_(noise)
            else:
                weight.copy_(noise * 1.3 / weight.shape[1] ** 0.5)
            weight.copy_(weight.half().float())
    return model


def folder(room, case):
    path = os.path.join(ROOT, room, "Goldens", "teacher", case)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def save(model, path, half):
    (model.half() if half else model).save_pretrained(path)
    model.float()
    for name in os.listdir(path):
        if name not in ("config.json", "model.safetensors"):
            os.remove(os.path.join(path, name))
    os.chmod(os.path.join(path, "model.safetensors"), 0o644)


def write(path, value):
    with open(os.path.join(path, "expected.json"), "w") as f:
        json.dump(value, f, indent=None, separators=(",", ":"))
        f.write("\n")


def forward(case, seed, lines, half=True, **sizes):
    """Logits of a classifier, each line by itself, so that no padding comes into it."""
    model = spread(BertForSequenceClassification(config(**sizes)), seed).eval()
    path = folder("ModelsTests", case)
    save(model, path, half)
    with torch.no_grad():
        logits = [model(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in lines]
    write(path, {"made by": "Tests/Goldens/make-teacher-goldens.py", "lines": lines, "logits": logits})


def mean_pooling(case, seed, lines, labels, **sizes):
    """A bare BertModel's tensors (no `bert.` prefix, no pooler) with a classifier on the mean of the last layer."""
    model = spread(BertModel(config(labels, **sizes), add_pooling_layer=False), seed).eval()
    head = spread(torch.nn.Linear(sizes["hidden_size"], labels), seed + 1)
    path = folder("ModelsTests", case)
    save(model, path, True)
    file = os.path.join(path, "model.safetensors")
    save_file(load_file(file) | {"classifier.weight": head.weight.half(), "classifier.bias": head.bias.half()}, file,
              metadata={"format": "pt"})
    os.chmod(file, 0o644)
    settings = json.load(open(os.path.join(path, "config.json")))
    with open(os.path.join(path, "config.json"), "w") as f:
        json.dump(settings | {"classifier_pooling": "mean"}, f, indent=2)
    with torch.no_grad():
        logits = [head(model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0)).tolist() for ids in lines]
    write(path, {"made by": "Tests/Goldens/make-teacher-goldens.py", "lines": lines, "logits": logits})


def training(case, seed, lines, targets, smoothing=0.0, **sizes):
    """Loss, all gradients, and the losses of ten AdamW steps over the same batch."""
    model = spread(BertForSequenceClassification(config(**sizes)), seed).train()
    path = folder("DistillationTests", case)
    save(model, path, True)
    labels = torch.tensor(targets)

    def loss():
        logits = torch.stack([model(input_ids=torch.tensor([ids])).logits[0] for ids in lines])
        return torch.nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)

    first = loss()
    first.backward()
    save_file({n: p.grad.contiguous() for n, p in model.named_parameters()}, os.path.join(path, "gradients.safetensors"))
    os.chmod(os.path.join(path, "gradients.safetensors"), 0o644)
    # Ten steps: decay on matrices only, clipping at norm 1, warm-up over two steps and linear decay to zero.
    rate, steps, warm = 3e-3, 10, 2
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.01},
              {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for step in range(steps):
        factor = (step + 1) / warm if step < warm else (steps - step) / (steps - warm)
        for group in optimiser.param_groups:
            group["lr"] = rate * factor
        optimiser.zero_grad()
        value = loss()
        value.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimiser.step()
        losses.append(value.item())
    write(path, {"made by": "Tests/Goldens/make-teacher-goldens.py", "lines": lines, "targets": targets,
                 "smoothing": smoothing, "losses": losses, "norms": norms, "rate": rate, "warm-up steps": warm})


def main():
    rng = random.Random(1)
    several = lambda vocabulary, lengths: [line(rng, n, vocabulary) for n in lengths]
    forward("gelu", 11, several(60, [9, 2, 3, 31, 17, 48]), labels=5, vocab_size=60, hidden_size=32,
            num_hidden_layers=2, num_attention_heads=4, intermediate_size=40, hidden_act="gelu",
            max_position_embeddings=48, type_vocab_size=2)
    forward("gelu-new", 12, several(40, [5, 20, 2]), labels=15, vocab_size=40, hidden_size=48, num_hidden_layers=3,
            num_attention_heads=4, intermediate_size=20, hidden_act="gelu_new", max_position_embeddings=20,
            type_vocab_size=1, layer_norm_eps=1e-5)
    forward("relu-512", 13, several(30, [512, 2, 300, 33]), labels=2, vocab_size=30, hidden_size=12,
            num_hidden_layers=2, num_attention_heads=2, intermediate_size=28, hidden_act="relu",
            max_position_embeddings=512, type_vocab_size=2)
    forward("one-line-f32", 14, several(30, [12]), half=False, labels=3, vocab_size=30, hidden_size=16,
            num_hidden_layers=1, num_attention_heads=1, intermediate_size=10, hidden_act="gelu_pytorch_tanh",
            max_position_embeddings=16, type_vocab_size=2)
    mean_pooling("mean", 15, several(30, [7, 2, 16, 11]), 4, vocab_size=30, hidden_size=18, num_hidden_layers=2,
                 num_attention_heads=3, intermediate_size=22, hidden_act="gelu", max_position_embeddings=16,
                 type_vocab_size=2)
    training("gelu", 21, several(24, [7, 2, 13, 5, 9]), [0, 2, 1, 2, 0], labels=3, vocab_size=24, hidden_size=16,
             num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, hidden_act="gelu",
             max_position_embeddings=14, type_vocab_size=2)
    training("gelu-new-smoothed", 22, several(20, [4, 18, 6]), [1, 0, 3], smoothing=0.1, labels=4, vocab_size=20,
             hidden_size=12, num_hidden_layers=3, num_attention_heads=3, intermediate_size=20, hidden_act="gelu_new",
             max_position_embeddings=18, type_vocab_size=1)
    training("relu", 23, several(20, [11, 3]), [1, 0], labels=2, vocab_size=20, hidden_size=8, num_hidden_layers=1,
             num_attention_heads=2, intermediate_size=20, hidden_act="relu", max_position_embeddings=12,
             type_vocab_size=2)


if __name__ == "__main__":
    main()
