/**
 * One line at the bottom of a terminal, redrawn in place. It is cleared before anything else is printed, and never written to a pipe.
 */
export function createStatusLine(stream: NodeJS.WriteStream, text: () => string) {
  if (!stream.isTTY) return { stop: () => {}, clear: () => {} }
  const clear = () => stream.write('\r\u001b[2K')
  const draw = () => {
    clear()
    stream.write(text().slice(0, Math.max(20, (stream.columns ?? 80) - 1)))
  }
  const timer = setInterval(draw, 500)
  timer.unref()
  return {
    clear,
    stop() {
      clearInterval(timer)
      clear()
    },
  }
}
