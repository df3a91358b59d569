// Text: from a line's bytes to token ids.
//
// What others use: `TokenizerFiles.load` gives a `LoadedTokenizer` (a `Tokenizer`, its pieces, special tokens and
// longest line) for a model directory; `CharacterTokenizer` with `CharacterCounter` and `Vocabulary` is the student's
// plain input, `NGramHasher` its shortcut's; `TokenBatch` holds the ids of several lines; `UTF8Validator` checks bytes.
//
// How a line goes through a Hugging Face tokenizer (`TokenizerPipeline`): `AddedTokenMatcher` cuts out added tokens,
// `NormalizationPlan` normalises what is between them, `PreTokenizationPlan` cuts it into pieces, `WordPieceModel` or
// `UnigramModel` (both over `ByteTrie`) turn pieces into ids, `TokenTemplate` puts special tokens around.
//
// How one is made: `TokenizerSource` reads the directory's files (`TokenizerJSON`, `TokenizerConfiguration`) into a
// `TokenizerDefinition`, which builds the pipeline. What Unicode says about a code point comes from `UnicodeTables`,
// written by scripts/make-unicode-tables.py; scripts/check-tokenizers.py compares everything with Transformers.
