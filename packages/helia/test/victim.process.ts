// A backend of this package that watches its own event loop.
import { helia, type HeliaOptions } from '../src/index.ts'
import { answer } from './answer.ts'
import { selfOf } from './self.ts'

const backend = helia(JSON.parse(process.argv[2] ?? '{}') as HeliaOptions)
const texts: string[] = []
const events: unknown[] = []
let gaps = 0
let worst = 0
let last = process.threadCpuUsage()

/** Milliseconds of processor time between two looks: time in which others have the processor is not counted. */
setInterval(() => {
  const now = process.threadCpuUsage()
  worst = Math.max(worst, (now.user + now.system - last.user - last.system) / 1_000)
  last = now
}, 5)

answer({
  start: async () => {
    await backend.start({ onEvent: (event) => void events.push(event) })
    return selfOf(backend)
  },
  listen: async (topic: string) => {
    await backend.messages.subscribe(topic, {
      message: ({ payload }) => {
        const text = new TextDecoder().decode(payload)
        if (text.startsWith('bad')) return 'reject'
        texts.push(text)
        return 'accept'
      },
      gap: () => void gaps++
    })
  },
  watch: () => {
    global.gc?.()
    worst = 0
    last = process.threadCpuUsage()
    return process.memoryUsage().rss
  },
  /** The longest standstill since `watch` (ms of processor time), and the memory now. */
  seen: () => ({ worst, rss: process.memoryUsage().rss, texts: texts.length, gaps, events }),
  heard: () => texts,
  connections: async () => (await backend.routing.connections()).map(({ id }) => id)
})
