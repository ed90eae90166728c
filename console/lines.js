// The lines of a response that arrives in pieces. Blank lines are left out.

const LINE_CHARACTERS_MAX = 8 * 1024 * 1024;

export async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      if (rest.length > LINE_CHARACTERS_MAX) throw new Error('a line of the response is too long');
      for (const line of lines) if (line.trim() !== '') yield line;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
