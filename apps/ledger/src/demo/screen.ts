import type { Crew } from './crew.ts'
import type { Progress } from './scenario.ts'
import { summaryLine, tableLines } from './table.ts'

/** Shows the state of the peers: a table that is redrawn on a terminal, plain lines elsewhere. */
export interface Screen {
  say(line: string): void
  /** Draws the last state and leaves it there. */
  close(): void
}

/** The part of a stream that is used for drawing. */
export interface Canvas {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
  on?(event: 'resize', listener: () => void): unknown
  off?(event: 'resize', listener: () => void): unknown
}

const frameMs = 80
const plainMs = 1_000

export function createScreen(crew: Crew, progress: Progress, canvas: Canvas): Screen {
  return canvas.isTTY === true ? tableScreen(crew, progress, canvas) : lineScreen(crew, progress, canvas)
}

function tableScreen(crew: Crew, progress: Progress, canvas: Canvas): Screen {
  let drawn: readonly string[] = []
  let dirty = true
  const columns = (): number => Math.max(canvas.columns ?? 80, 2)
  // A terminal that became narrower has wrapped each long line.
  const erase = (): string => {
    const rows = drawn.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / columns())), 0)
    drawn = []
    return rows === 0 ? '' : `\u001b[${rows}A\u001b[0J`
  }
  const draw = (): void => {
    if (!dirty) return
    dirty = false
    const lines = tableLines(crew, progress, columns() - 1)
    canvas.write(`${erase()}${lines.join('\n')}\n`)
    drawn = lines
  }
  const redraw = (): void => {
    dirty = true
    draw()
  }
  crew.watch(() => {
    dirty = true
  })
  canvas.on?.('resize', redraw)
  const timer = setInterval(draw, frameMs)
  timer.unref()
  return {
    say: (line) => {
      canvas.write(`${erase()}${line}\n`)
      redraw()
    },
    close: () => {
      clearInterval(timer)
      canvas.off?.('resize', redraw)
      draw()
      drawn = []
    }
  }
}

function lineScreen(crew: Crew, progress: Progress, canvas: Canvas): Screen {
  let last = ''
  const draw = (): void => {
    const line = summaryLine(crew, progress)
    if (line !== last) canvas.write(`${line}\n`)
    last = line
  }
  const timer = setInterval(draw, plainMs)
  timer.unref()
  return {
    say: (line) => {
      canvas.write(`${line}\n`)
    },
    close: () => {
      clearInterval(timer)
      draw()
    }
  }
}
