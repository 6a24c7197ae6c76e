import type { Suite } from '../kit/test.ts'
import { abortedIterations } from './abort/iterations.ts'
import { abortedMessages } from './abort/messages.ts'
import { abortedNetworkCalls } from './abort/network.ts'
import { abortedStoreCalls } from './abort/store.ts'
import { everyCall } from './abort/every-call.ts'
import { cids } from './blocks/cids.ts'
import { garbage } from './blocks/gc.ts'
import { hinted } from './blocks/hints.ts'
import { many } from './blocks/many.ts'
import { persistence } from './blocks/persistence.ts'
import { pins } from './blocks/pins.ts'
import { remotePins } from './blocks/remote-pins.ts'
import { remote } from './blocks/remote.ts'
import { store } from './blocks/store.ts'
import { concurrency } from './concurrency.ts'
import { content } from './cut/content.ts'
import { ends } from './cut/ends.ts'
import { gaps } from './cut/gaps.ts'
import { publishing } from './cut/publish.ts'
import { argumentsOfCalls } from './arguments.ts'
import { events } from './lifecycle/events.ts'
import { failedStarts } from './lifecycle/failed-start.ts'
import { others } from './lifecycle/others.ts'
import { states } from './lifecycle/states.ts'
import { stopping } from './lifecycle/stopping.ts'
import { retention } from './messages/bytes.ts'
import { counts } from './messages/counts.ts'
import { delivery } from './messages/delivery.ts'
import { order } from './messages/order.ts'
import { senders } from './messages/senders.ts'
import { subscriptions } from './messages/subscriptions.ts'
import { topics } from './messages/topics.ts'
import { judged } from './messages/verdicts.ts'
import { refusals } from './refusals.ts'
import { connections } from './routing/connections.ts'
import { records } from './routing/records.ts'

/** Every suite, in the order in which it runs. */
export const suites: readonly Suite[] = [
  refusals,
  { name: 'lifecycle', tests: [...states, ...failedStarts, ...stopping, ...events, ...others] },
  { name: 'messages', tests: [...delivery, ...topics, ...subscriptions] },
  { name: 'messages: declared guarantees', tests: [...counts, ...senders, ...order, ...retention, ...judged] },
  { name: 'blocks: the own store', tests: [...store, ...cids, ...many] },
  { name: 'blocks: from others', tests: [...remote, ...hinted] },
  { name: 'blocks: pins and garbage collection', tests: [...pins, ...remotePins, ...garbage, ...persistence] },
  { name: 'routing', tests: [...records, ...connections] },
  argumentsOfCalls,
  {
    name: 'abort',
    tests: [...everyCall, ...abortedMessages, ...abortedStoreCalls, ...abortedNetworkCalls, ...abortedIterations]
  },
  { name: 'cut off', tests: [...publishing, ...gaps, ...content, ...ends] },
  concurrency
]
