import type { Mailbox } from '@rockpool/actor'
import { limits, type MonitorMessage } from '@rockpool/protocol'

const operatorAsks: ReadonlySet<MonitorMessage['type']> = new Set([
  ...(['monitor.ban', 'monitor.unban', 'monitor.protect', 'monitor.pin'] as const),
  ...(['monitor.why', 'monitor.list', 'monitor.export', 'monitor.import'] as const),
  ...(['monitor.connect', 'monitor.disconnect', 'monitor.dryRun'] as const),
])

/**
 * Reports may come in floods: an operator does not wait behind them, and what does not fit any more is added to what waits of the same peer and
 * reason, so that nothing is lost.
 */
export const monitorMailbox: Mailbox<MonitorMessage> = {
  capacity: limits.mailbox.monitor,
  urgent: ({ type }) => operatorAsks.has(type),
  overflow: 'coalesce',
  key: message =>
    message.type === 'monitor.report' || message.type === 'monitor.credit'
      ? `${message.type} ${message.peer} ${message.reason}`
      : undefined,
  merge: sumOf,
}

function sumOf(waiting: MonitorMessage, next: MonitorMessage): MonitorMessage {
  if (waiting.type === 'monitor.credit' && next.type === 'monitor.credit') {
    return { ...waiting, times: waiting.times + next.times }
  }
  if (waiting.type !== 'monitor.report' || next.type !== 'monitor.report') return next
  const { evidence } = next
  const also = waiting.also ?? []
  // So many proofs are more than any ban needs.
  if (evidence === undefined || also.length >= limits.reportEvidenceMax) return waiting
  return { ...waiting, also: [...also, evidence] }
}
