/** A one-shot answer that travels inside a question, always in the field `reply`. Every actor reference fits it. */
export interface Reply<in R> {
  tell(value: R): void
}
