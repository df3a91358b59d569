"""One epoch of the student's training in PyTorch: torch_epoch.py IDS VOCABULARY EMBEDDING HIDDEN DENSE BUCKETS LABELS
THREADS TABLES. The same network, batch of 64, loss and optimiser; logits, labels and n-grams are drawn by chance, which
changes no time. TABLES: `sparse` updates the rows of the two tables that a batch touches (SparseAdam), `dense` all of
them. Prints lines per second of the second epoch."""
import json
import sys
import time

import numpy
import torch
from torch.nn import functional as F

ids, sizes, tables = sys.argv[1], [int(size) for size in sys.argv[2:9]], sys.argv[9]
vocabulary, embedding, hidden, dense, buckets, labels, threads = sizes
torch.set_num_threads(threads)
lines = [numpy.array(line.split(), numpy.int64) for line in open(ids)]
chance = numpy.random.RandomState(0)
grams = [chance.randint(0, buckets, size=3 * len(line) + 1) for line in lines]
targets, truth = torch.randn(len(lines), labels), torch.randint(0, labels, (len(lines),))
BATCH, TEMPERATURE = 64, 2.0


class Student(torch.nn.Module):
    def __init__(self, sparse):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding, sparse=sparse)
        self.lstm = torch.nn.LSTM(embedding, hidden, bidirectional=True, batch_first=True)
        self.dense = torch.nn.Linear(4 * hidden, dense)
        self.classifier = torch.nn.Linear(dense, labels)
        self.shortcut = torch.nn.EmbeddingBag(buckets, labels, mode="sum", sparse=sparse)

    def forward(self, ids, lengths, grams, offsets, weights):
        x = F.dropout(self.embedding(ids), 0.2)
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        states, _ = torch.nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        inside = (torch.arange(states.shape[1])[None] < lengths[:, None])[..., None]
        pooled = torch.cat([states.masked_fill(~inside, -2).max(1).values,
                            (states * inside).sum(1) / lengths[:, None]], 1)
        hidden = F.dropout(torch.relu(self.dense(F.dropout(pooled, 0.3))), 0.3)
        return self.classifier(hidden) + self.shortcut(grams, offsets, per_sample_weights=weights)


sparse = tables == "sparse"
student = Student(sparse)
large = [student.embedding.weight, student.shortcut.weight]
small = [weight for weight in student.parameters() if not any(weight is other for other in large)]
if sparse:
    optimisers = [torch.optim.SparseAdam(large, lr=1e-3), torch.optim.Adam(small, lr=1e-3, fused=True)]
else:
    optimisers = [torch.optim.Adam(student.parameters(), lr=1e-3, fused=True)]
for epoch in range(2):
    order = chance.permutation(len(lines))
    start = time.perf_counter()
    for first in range(0, len(lines), BATCH):
        chosen = sorted(order[first:first + BATCH], key=lambda index: -len(lines[index]))
        lengths = torch.tensor([len(lines[index]) for index in chosen])
        padded = numpy.zeros((len(chosen), int(lengths[0])), numpy.int64)
        for row, index in enumerate(chosen):
            padded[row, :len(lines[index])] = lines[index]
        counts = numpy.array([len(grams[index]) for index in chosen])
        offsets = torch.from_numpy(numpy.concatenate([[0], numpy.cumsum(counts)[:-1]]))
        weights = torch.from_numpy(numpy.repeat(counts ** -0.5, counts).astype(numpy.float32))
        logits = student(torch.from_numpy(padded), lengths,
                         torch.from_numpy(numpy.concatenate([grams[index] for index in chosen])), offsets, weights)
        soft = F.kl_div(torch.log_softmax(logits / TEMPERATURE, 1), torch.log_softmax(targets[chosen] / TEMPERATURE, 1),
                        reduction="batchmean", log_target=True)
        loss = 0.5 * TEMPERATURE ** 2 * soft + 0.5 * F.cross_entropy(logits, truth[chosen])
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(small, 5.0)
        for optimiser in optimisers:
            optimiser.step()
    seconds = time.perf_counter() - start
print(json.dumps({"lines_per_second": len(lines) / seconds, "version": f"PyTorch {torch.__version__}"}))
