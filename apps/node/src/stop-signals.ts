/**
 * What ends a run: SIGINT, SIGTERM, the control socket, the end of the launcher's lifeline, or a crash. A second signal exits at once with
 * 128 + its number.
 */
export function stopSignals(lifeline: boolean) {
  let asked: (why: 'asked' | 'crashed') => void = () => {}
  const promise = new Promise<'asked' | 'crashed'>(resolve => {
    asked = resolve
  })
  let heard = 0
  const onSignal = (code: number) => () => {
    heard += 1
    if (heard > 1) process.exit(128 + code)
    asked('asked')
  }
  process.on('SIGINT', onSignal(2))
  process.on('SIGTERM', onSignal(15))
  if (lifeline) {
    process.stdin.on('end', () => asked('asked'))
    process.stdin.on('error', () => asked('asked'))
    process.stdin.resume()
  }
  return {
    asked: promise,
    ask: () => asked('asked'),
    crash: () => asked('crashed'),
    /** Lets go of standard input, which would keep the process alive as long as the launcher. */
    close: () => void process.stdin.destroy(),
  }
}
