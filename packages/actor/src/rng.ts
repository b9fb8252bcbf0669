/**
 * Chance that repeats: sfc32, seeded from a string. Not a cipher: what must be unguessable comes from `ctx.entropy`.
 *
 * Each user draws from a fork of its own, so that one more draw in one place shifts nothing anywhere else.
 */
export class Rng {
  readonly seed: string
  private a: number
  private b: number
  private c: number
  private d: number

  constructor(seed: string) {
    this.seed = seed
    let hash = 2166136261
    const word = (round: number) => {
      for (let i = 0; i < seed.length; i++) {
        hash ^= seed.charCodeAt(i) + round
        hash = Math.imul(hash, 16777619)
      }
      hash ^= hash >>> 13
      return hash >>> 0
    }
    this.a = word(0) | 0
    this.b = word(1) | 0
    this.c = word(2) | 0
    this.d = word(3) | 0
    for (let i = 0; i < 12; i++) this.u32()
  }

  /** An independent generator, named. The same name always gives the same one. */
  fork(name: string): Rng {
    return new Rng(`${this.seed}/${name}`)
  }

  /** 32 uniform bits. */
  u32(): number {
    const t = (this.a + this.b + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) | 0
    return t >>> 0
  }

  /** Uniform in [0, 1). */
  f(): number {
    return this.u32() / 4294967296
  }

  /** Uniform in 0 … n − 1. */
  int(n: number): number {
    return Math.floor(this.f() * n)
  }

  /** Uniform in a … b, both included. */
  range(a: number, b: number): number {
    return a + this.int(b - a + 1)
  }

  /** True with probability `p`. Draws nothing when `p` is zero. */
  chance(p: number): boolean {
    return p > 0 && this.f() < p
  }

  /** Exponential waiting time. */
  exp(mean: number): number {
    return -Math.log(1 - this.f()) * mean
  }

  /** One of `items`; undefined when there are none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.int(items.length)]
  }

  /** A shuffled copy (Fisher-Yates from the end). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const held = shuffled[i] as T
      shuffled[i] = shuffled[j] as T
      shuffled[j] = held
    }
    return shuffled
  }

  /** `count` bytes, four per draw. For simulations only. */
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i += 4) {
      const word = this.u32()
      for (let k = 0; k < 4 && i + k < count; k++) bytes[i + k] = (word >>> (8 * k)) & 0xff
    }
    return bytes
  }
}

/** Paths whose forks are told apart when a name is used again; the oldest are forgotten. */
const FORKS_KEPT = 65_536

/** A generator per actor: the second actor at a path draws differently from the first. */
export class Forks {
  private readonly rng: Rng
  private readonly counts = new Map<string, number>()

  constructor(rng: Rng) {
    this.rng = rng
  }

  fork(path: string): Rng {
    const count = (this.counts.get(path) ?? 0) + 1
    this.counts.delete(path)
    this.counts.set(path, count)
    if (this.counts.size > FORKS_KEPT) {
      this.counts.delete(this.counts.keys().next().value as string)
    }
    return this.rng.fork(count === 1 ? path : `${path}#${count}`)
  }
}

/** One step of the hash that tells two histories apart. Starts at 0; equal histories have equal hashes. */
export function mix(hash: number, n: number): number {
  return (Math.imul(hash ^ (n | 0), 0x01000193) + 0x9e3779b9) | 0
}

/** The same over a text, for types and paths. */
export function mixText(hash: number, text: string): number {
  let mixed = hash
  for (let i = 0; i < text.length; i++) mixed = mix(mixed, text.charCodeAt(i))
  return mixed
}
