/**
 * A result too large to exist as one string: pieces of JSON text, made while they are sent. Whoever takes it calls `end` once, sent or not,
 * so that what was held for it is released.
 */
export class JsonStream {
  readonly pieces: Iterable<string>
  private readonly release: () => void
  private ended = false

  constructor(pieces: Iterable<string>, release: () => void = () => {}) {
    this.pieces = pieces
    this.release = release
  }

  /** Everything at once, for carriers that cannot send pieces. */
  text(): string {
    try {
      let text = ''
      for (const piece of this.pieces) text += piece
      return text
    } finally {
      this.end()
    }
  }

  end(): void {
    if (this.ended) return
    this.ended = true
    this.release()
  }
}
