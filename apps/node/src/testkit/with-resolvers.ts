/** Node 20 lacks `Promise.withResolvers`, which libp2p calls. For programs that load nothing of ours. */
const promise = Promise as { withResolvers?: unknown }

promise.withResolvers ??= function withResolvers() {
  let resolve: (value: unknown) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const made = new Promise((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise: made, resolve, reject }
}

export {}
