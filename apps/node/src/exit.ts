/** Exit codes of every command; scripts rely on them. */
export const exit = {
  done: 0,
  no: 1,
  usage: 2,
  unreachable: 3,
  datadir: 5,
  drainLate: 6,
  internal: 70,
  diverged: 127,
} as const

/** A refusal with its sentence for the user: printed without a stack, then the process ends with the code. */
export class Refusal extends Error {
  readonly exitCode: number
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Refusal'
    this.exitCode = exitCode
  }
}
