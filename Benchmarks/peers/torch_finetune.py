"""Fine-tuning a BERT's last layers in PyTorch: torch_finetune.py BASE IDS LAYERS EPOCHS LABELS THREADS. Batches of 32 of
similar length, AdamW, the rest frozen; what lies below the first trained layer is computed once. Labels are drawn by
chance. Prints the seconds of all epochs."""
import json
import sys
import time

import numpy
import torch
import transformers

base, ids, layers, epochs, labels, threads = sys.argv[1], sys.argv[2], *(int(number) for number in sys.argv[3:7])
torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()
model = transformers.BertForSequenceClassification.from_pretrained(base, num_labels=labels, dtype=torch.float32)
blocks = model.bert.encoder.layer
frozen = len(blocks) - layers
for parameter in model.parameters():
    parameter.requires_grad = False
trained = [*blocks[frozen:].parameters(), *model.bert.pooler.parameters(), *model.classifier.parameters()]
for parameter in trained:
    parameter.requires_grad = True
lines = [numpy.array(line.split(), numpy.int64) for line in open(ids)]
truth = torch.randint(0, labels, (len(lines),))
chance = numpy.random.RandomState(0)
optimiser = torch.optim.AdamW(trained, lr=5e-5, fused=True)
model.train()
BATCH = 32


def batches():
    """Runs of lines of similar length, in an order of chance."""
    order = sorted(range(len(lines)), key=lambda index: len(lines[index]))
    runs = [order[first:first + BATCH] for first in range(0, len(order), BATCH)]
    return [runs[place] for place in chance.permutation(len(runs))]


def padded(chosen):
    longest = max(len(lines[index]) for index in chosen)
    ids, mask = numpy.zeros((len(chosen), longest), numpy.int64), numpy.zeros((len(chosen), longest), numpy.float32)
    for row, index in enumerate(chosen):
        ids[row, :len(lines[index])] = lines[index]
        mask[row, :len(lines[index])] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def through(blocks, states, bias):
    for block in blocks:
        states = block(states, bias)
        states = states[0] if isinstance(states, tuple) else states
    return states


start = time.perf_counter()
below = {}
model.eval()
with torch.inference_mode():
    for run in batches():
        ids, mask = padded(run)
        bias = (1 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
        states = through(blocks[:frozen], model.bert.embeddings(input_ids=ids), bias)
        for row, index in enumerate(run):
            below[index] = states[row, :len(lines[index])].clone()
model.train()
for epoch in range(epochs):
    for run in batches():
        longest = max(len(lines[index]) for index in run)
        states = torch.zeros(len(run), longest, model.config.hidden_size)
        mask = torch.zeros(len(run), longest)
        for row, index in enumerate(run):
            states[row, :len(lines[index])] = below[index]
            mask[row, :len(lines[index])] = 1
        bias = (1 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
        states = through(blocks[frozen:], states, bias)
        logits = model.classifier(model.dropout(model.bert.pooler(states)))
        loss = torch.nn.functional.cross_entropy(logits, truth[run])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
print(json.dumps({"seconds": time.perf_counter() - start, "version": f"PyTorch {torch.__version__}"}))
