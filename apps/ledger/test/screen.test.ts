import { describe, expect, it } from 'vitest'
import type { Branch } from '../src/demo/accounts.ts'
import type { Crew } from '../src/demo/crew.ts'
import type { Progress } from '../src/demo/scenario.ts'
import { createScreen } from '../src/demo/screen.ts'
import { tableLines } from '../src/demo/table.ts'

const progress: Progress = {
  alder: { done: 1, known: 0, total: 108 },
  birch: { done: 2, known: 2, total: 121 },
  cedar: { done: 3, known: 0, total: 140 }
}

/** A crew whose peers are up, without real peers. */
function crewOf(life: (name: Branch) => string = () => 'up'): Crew {
  const status = { entries: 370, rejected: 4, root: `bafy${'r'.repeat(30)}`, balances: `bafy${'b'.repeat(30)}` }
  return {
    life,
    status: () => ({ ...status, documents: { known: 9, kept: 9 } }),
    peer: () => ({ url: 'http://127.0.0.1:34127' }),
    watch: () => undefined
  } as unknown as Crew
}

/** A terminal that rewraps its lines when its width changes, as most do. */
class Terminal {
  readonly isTTY = true
  columns: number
  #lines: string[] = ['']
  readonly #resized = new Set<() => void>()

  constructor(columns: number) {
    this.columns = columns
  }

  on(_: 'resize', listener: () => void): void {
    this.#resized.add(listener)
  }

  resize(columns: number): void {
    this.columns = columns
    for (const listener of this.#resized) listener()
  }

  /** The visible lines. */
  get rows(): string[] {
    return this.#lines.flatMap((line) => {
      const rows: string[] = []
      for (let at = 0; at === 0 || at < line.length; at += this.columns) rows.push(line.slice(at, at + this.columns))
      return rows
    })
  }

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex
    for (const part of text.split(/(\u001b\[\d+[AJ]|\n)/)) {
      // oxlint-disable-next-line no-control-regex
      const up = /^\u001b\[(\d+)A$/.exec(part)?.[1]
      if (part === '\n') this.#lines.push('')
      else if (up !== undefined) this.#lines = [...this.rows.slice(0, -1 - Number(up)), '']
      // Everything below the cursor is already gone.
      else if (!part.startsWith('\u001b')) this.#lines[this.#lines.length - 1] += part
    }
  }
}

describe('the table of the demonstration', () => {
  it.each([200, 100, 60, 30, 12])('is whole in %i columns', (width) => {
    const lines = tableLines(crewOf(), progress, width)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width)
    const text = lines.join('\n')
    for (const word of ['alder', 'birch', 'cedar']) expect(text).toContain(word)
    if (width < 30) return
    for (const word of ['2/121 (2 before)', '370', '…rrrrrrrr', '…bbbbbbbb', '9/9', 'http://127.0.0.1:34127'])
      expect(text, word).toContain(word)
  })

  it('is drawn in its own place when the terminal gets narrower or wider', () => {
    const terminal = new Terminal(140)
    const screen = createScreen(crewOf(), progress, terminal)
    screen.say('first')
    const check = (): void => {
      const rows = terminal.rows.filter((row) => row !== '')
      const table = tableLines(crewOf(), progress, terminal.columns - 1).filter((row) => row !== '')
      expect(rows.slice(-table.length), `${terminal.columns} columns`).toEqual(table)
      // The earlier output is still there, and nothing else.
      expect(rows.slice(0, -table.length).join('').replaceAll(' ', '')).toMatch(/^first(second)?$/)
    }
    check()
    for (const columns of [70, 33, 100, 20, 140]) {
      terminal.resize(columns)
      check()
    }
    screen.say('second')
    check()
    screen.close()
    check()
  })

  it('shows a peer that was killed', () => {
    const lines = tableLines(
      crewOf((name) => (name === 'birch' ? 'killed' : 'up')),
      progress,
      200
    )
    expect(lines.find((line) => line.startsWith('birch'))).toContain('killed')
  })
})
