/**
 * Node 20 lacks `Promise.withResolvers`, which libp2p calls on its first start (through its queues and yamux): without this the
 * node throws at start, and an incoming handshake dies as `EncryptionFailedError`. Import before anything of libp2p.
 */
type Resolvers = {
  promise: Promise<unknown>
  resolve: (value: unknown) => void
  reject: (reason?: unknown) => void
}

const target = Promise as unknown as { withResolvers?: () => Resolvers }

if (target.withResolvers === undefined) {
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: function withResolvers(this: PromiseConstructor): Resolvers {
      let resolve: Resolvers['resolve'] = () => {}
      let reject: Resolvers['reject'] = () => {}
      const promise = new this<unknown>((yes, no) => {
        resolve = yes
        reject = no
      })
      return { promise, resolve, reject }
    },
  })
}

export {}
