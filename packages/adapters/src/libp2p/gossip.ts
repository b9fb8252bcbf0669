import type { TopicValidatorFn, TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import {
  CodedError,
  limits,
  type NetworkSink,
  type PeerId,
  type Topic,
  type Verdict,
} from '@rockpool/protocol'
import type { NetworkClock } from './clock.ts'
import { createJudging } from './judging.ts'
import { idText, type MessageIds } from './message-id.ts'
import { type NetworkMeter, topicLabel } from './metrics.ts'
import { topicScore } from './profiles.ts'
import type { Router } from './router.ts'

interface Parts {
  readonly router: Router
  readonly ids: MessageIds
  readonly clock: NetworkClock
  readonly meter: NetworkMeter
  sink(): NetworkSink | undefined
  /** The router's own score of a peer it knows. */
  score(id: PeerId): number
  /** While false nothing is judged: everything is ignored. */
  isOpen(): boolean
}

/** The router's word for a topic without a peer to send to. */
const NOBODY = 'PublishError.NoPeersSubscribedToTopic'

/** Topics of this node: what others publish is judged by the sink, and relayed only when it accepts. */
export function createGossip({ router, ids, clock, meter, sink, score, isOpen }: Parts) {
  const subscribed = new Set<Topic>()
  let started = false
  const judging = createJudging(clock, limits.verdictDeadlineMs, {
    late: meter.lateVerdict,
    failed: meter.failedVerdict,
  })

  function subscribe(topic: Topic): void {
    if (subscribed.has(topic)) return
    if (subscribed.size >= limits.gossipTopicsMax)
      throw new RangeError(`more than ${limits.gossipTopicsMax} gossip topics`)
    subscribed.add(topic)
    admit(topic)
    router.topicValidators.set(topic, validator(topic))
    if (started) router.subscribe(topic)
  }

  function unsubscribe(topic: Topic): void {
    if (!subscribed.delete(topic)) return
    if (started) router.unsubscribe(topic)
    router.topicValidators.delete(topic)
  }

  /** The router subscribes only once it runs. */
  function start(): void {
    started = true
    for (const topic of subscribed) router.subscribe(topic)
  }

  /** A topic that came later, with a fork: allowed and scored like the first ones. */
  function admit(topic: Topic): void {
    router.allowedTopics?.add(topic)
    router.score.params.topics[topic] ??= topicScore
  }

  function validator(topic: Topic): TopicValidatorFn {
    const label = topicLabel(topic)
    return async (from, message) => {
      const bytes = message.data
      const id = idText(ids.idOf(message))
      const verdict = await judged({ topic, bytes, id, from: from.toString() })
      meter.judged(label, verdict)
      return verdict as TopicValidatorResult
    }
  }

  /** The sink's verdict. No sink, a failure and an answer after the deadline are `ignore`. */
  function judged(message: Parameters<NetworkSink['deliver']>[0]): Promise<Verdict> {
    const judge = sink()
    if (judge === undefined || !isOpen()) return Promise.resolve('ignore')
    return judging.judged(() => judge.deliver(message))
  }

  /** Rejects only a payload over the limit and a network that does not run. */
  async function publish(topic: Topic, bytes: Uint8Array): Promise<{ recipients: number }> {
    if (bytes.length > limits.publishBytesMax) throw new CodedError('gossip/too-big')
    if (!started || !isOpen()) throw new CodedError('p2p/not-running')
    // The router keeps and resends what it was given, and an encoder may reuse its buffer.
    const recipients = await sent(topic, new Uint8Array(bytes))
    meter.published(recipients)
    return { recipients }
  }

  /** A message that nobody can be sent must not be remembered: the router would swallow the same bytes for two minutes. */
  async function sent(topic: Topic, bytes: Uint8Array): Promise<number> {
    try {
      const { recipients } = await router.publish(topic, bytes, {
        allowPublishToZeroTopicPeers: false,
      })
      return recipients.length
    } catch (error) {
      if (error instanceof Error && error.message === NOBODY) return 0
      throw error
    }
  }

  return {
    subscribe,
    unsubscribe,
    start,
    stop: judging.stop,
    publish,
    meshSize: (topic: Topic): number => router.getMeshPeers(topic).length,
    score: (id: PeerId): number | undefined => (router.peers.has(id) ? score(id) : undefined),
  }
}
