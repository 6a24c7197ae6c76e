import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '@p2pl/tooling-registry'
import { openBrowser } from '@p2pl/tooling-vitest/browser'
import { Terminal } from '@p2pl/tooling-vitest/terminal'
import type { Browser, Page } from 'playwright-core'
import { patternOf, type Section, type Step } from './guide.ts'

/** Follows a section of a guide word for word, like a reader with an empty folder. */
export async function follow(section: Section, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const terminals = new Map<string, Terminal>()
  let cwd = folder
  let browser: Browser | undefined
  let page: Page | undefined

  /** A command with "…" was printed by a terminal before: the reader copies it from there. */
  const copied = (command: string): string => {
    if (!command.includes('…')) return command
    const pattern = patternOf(command)
    const lines = [...terminals.values()].flatMap((terminal) => terminal.lines)
    const found = lines.map((line) => pattern.exec(line)?.[0]).find((text) => text !== undefined)
    if (found === undefined) throw new Error(`nothing has printed the command "${command}"`)
    return found
  }
  const terminalOf = (name: string): Terminal => {
    const terminal = terminals.get(name)
    if (terminal === undefined) throw new Error(`"${section.title}" names ${name} before that terminal is started`)
    return terminal
  }
  const openLink = async (): Promise<Page> => {
    const links = [...terminals.values()].flatMap((terminal) => terminal.lines)
    const link = links.map((line) => /^Open (http:\S+)$/.exec(line)?.[1]).find((text) => text !== undefined)
    browser ??= await openBrowser()
    const opened = await browser.newPage()
    await opened.goto(link ?? 'about:blank')
    return opened
  }
  const take = async (step: Step): Promise<void> => {
    if (step.do === 'write') return writeFileSync(join(cwd, step.file), step.text)
    if (step.do === 'start') return void terminals.set(step.terminal, new Terminal(copied(step.command), cwd))
    if (step.do === 'run') {
      for (const command of step.commands) {
        const [, inside] = /^cd (\S+)$/.exec(command) ?? []
        if (inside === undefined) await run('bash', ['-euc', command], { cwd, env })
        else cwd = join(cwd, inside)
      }
      return
    }
    if (step.terminal === 'page') {
      page ??= await openLink()
      if (step.do === 'see')
        return void (await page.waitForFunction((text) => document.body.innerText.includes(text), step.line))
      await page.fill('input', step.line)
      return await page.press('input', 'Enter')
    }
    if (step.do === 'see') return void (await terminalOf(step.terminal).prints(patternOf(step.line)))
    terminalOf(step.terminal).type(step.line)
  }

  mkdirSync(folder, { recursive: true })
  try {
    for (const step of section.steps) await take(step)
  } finally {
    await browser?.close()
  }
}
