#!/usr/bin/env python3
"""What a sensible user would try first: TF-IDF of character 1–2-grams and logistic regression (scikit-learn).

    scripts/tfidf-baseline.py TRAIN.jsonl TEST.jsonl...
"""
import json
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression


def read(path):
    rows = [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]
    rows = [row for row in rows if row.get("label") is not None]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def main():
    texts, labels = read(sys.argv[1])
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=4, max_iter=2000).fit(vectors.fit_transform(texts), labels)
    for path in sys.argv[2:]:
        test, truth = read(path)
        print(f"{path.split('/')[-1]}: TF-IDF + logistic regression {100 * model.score(vectors.transform(test), truth):.2f} %")


if __name__ == "__main__":
    main()
