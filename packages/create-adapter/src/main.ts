import process from 'node:process'
import { parseArgs } from 'node:util'
import { createAdapter, type Adapter } from './create.ts'

const usage = `Makes a package with a working p2pl adapter to start from.

  npm create @p2pl/adapter <name>                     messages and content
  npm create @p2pl/adapter <name> -- --messages-only  messages alone; apps take their content from another backend

The name is that of the package: my-net, or @me/my-net. It is made in a folder of its last part.`

/** Runs the command line and returns the exit code. */
export async function main(args: readonly string[], directory: string = process.cwd()): Promise<number> {
  const options = {
    'messages-only': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' }
  } as const
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (values.help === true) {
      process.stdout.write(`${usage}\n`)
      return 0
    }
    const [name, ...rest] = positionals
    if (name === undefined || rest.length > 0) throw new TypeError(`give one name.\n\n${usage}`)
    process.stdout.write(report(await createAdapter({ name, messagesOnly: values['messages-only'] }, directory)))
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function report({ folder, files }: Adapter): string {
  return `${files} files in ${folder}. Next:\n\n  cd ${folder}\n  npm install\n  npm test\n`
}
