import { type Branch, branches } from './accounts.ts'
import type { Crew } from './crew.ts'
import type { Progress } from './scenario.ts'

/** Shows how the peers are: a table that redraws on a terminal, plain lines elsewhere. */
export interface Screen {
  say(line: string): void
  /** Draws the last state and leaves it there. */
  close(): void
}

const frameMs = 80
const plainMs = 1_000

export function createScreen(crew: Crew, progress: Progress, output: NodeJS.WriteStream): Screen {
  return output.isTTY ? tableScreen(crew, progress, output) : lineScreen(crew, progress, output)
}

function tableScreen(crew: Crew, progress: Progress, output: NodeJS.WriteStream): Screen {
  let drawn = 0
  let dirty = true
  const erase = (): string => (drawn === 0 ? '' : `\u001b[${drawn}A\u001b[0J`)
  const draw = (): void => {
    if (!dirty) return
    dirty = false
    const width = output.columns
    const lines = table(crew, progress).map((line) => line.slice(0, width - 1))
    output.write(`${erase()}${lines.join('\n')}\n`)
    drawn = lines.length
  }
  crew.watch(() => {
    dirty = true
  })
  const timer = setInterval(draw, frameMs)
  timer.unref()
  return {
    say: (line) => {
      output.write(`${erase()}${line}\n`)
      drawn = 0
      dirty = true
      draw()
    },
    close: () => {
      clearInterval(timer)
      draw()
    }
  }
}

function lineScreen(crew: Crew, progress: Progress, output: NodeJS.WriteStream): Screen {
  let last = ''
  const draw = (): void => {
    const line = branches.map((name) => `${name} ${summary(crew, progress, name)}`).join(' | ')
    if (line !== last) output.write(`${line}\n`)
    last = line
  }
  const timer = setInterval(draw, plainMs)
  timer.unref()
  return {
    say: (line) => {
      output.write(`${line}\n`)
    },
    close: () => {
      clearInterval(timer)
      draw()
    }
  }
}

function table(crew: Crew, progress: Progress): string[] {
  const rows = branches.map((name) => {
    const status = crew.status(name)
    const { done, total } = progress[name]
    return [
      name,
      crew.life(name),
      `${done}/${total}`,
      String(status?.entries ?? 0),
      String(status?.rejected ?? 0),
      tail(status?.root),
      tail(status?.balances),
      status === undefined ? '' : `${status.documents.kept}/${status.documents.known}`,
      crew.member(name)?.url ?? ''
    ]
  })
  const header = ['peer', 'state', 'fed', 'entries', 'rejected', 'root', 'balances', 'documents', 'api']
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  return ['', ...[header, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))]
}

function summary(crew: Crew, progress: Progress, name: Branch): string {
  const status = crew.status(name)
  const life = crew.life(name)
  const { done, total } = progress[name]
  if (life !== 'up' || status === undefined) return `${life}, fed ${done}/${total}`
  return `fed ${done}/${total}, ${status.entries} entries, ${status.rejected} rejected, root ${tail(status.root)}, balances ${tail(status.balances)}`
}

/** The end of a CID: its beginning is alike in all. */
function tail(cid: string | undefined): string {
  return cid === undefined ? '' : `…${cid.slice(-8)}`
}
