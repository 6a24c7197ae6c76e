const comment = /\/\*[^]*?\*\/|^\s*\/\/.*$/gm
const start = /^(?:export|import|declare|interface|type|class|abstract)\b/

/** The statements of a declaration file as tsc writes it, without comments. */
export function statementsOf(text: string): string[] {
  const statements: string[] = []
  for (const line of text.replaceAll(comment, '').split('\n')) {
    if (line.trim() === '') continue
    if (start.test(line)) statements.push(line)
    else statements.push(`${statements.pop() ?? ''}\n${line}`)
  }
  return statements
}

/** The name that a statement declares. */
export function declaredName(statement: string): string | undefined {
  const [, name] =
    /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const|let|enum|namespace) (\w+)/.exec(
      statement
    ) ?? []
  return name
}
