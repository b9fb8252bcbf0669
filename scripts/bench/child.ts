import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Child {
  /** Sends a wish and waits for its result. */
  ask<R>(wish: unknown): Promise<R>
  end(): void
}

/** A helper process beside the measured one, started as this one was. */
export function startChild(file: string): Child {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)))
  return {
    ask: wish =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`${file} ended with code ${code}`))
        child.once('exit', ended)
        child.once('message', result => {
          child.off('exit', ended)
          resolve(result as never)
        })
        child.send(wish as object)
      }),
    end: () => child.kill(),
  }
}
