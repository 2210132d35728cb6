// One line a test: outcome, time, name; failures with what was wrong. Counts go to the file that run.sh names.
import { appendFileSync } from 'node:fs';

export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type === 'test:diagnostic' && data.file) yield `             ${data.message}\n`;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' || data.nesting === undefined) continue;
    const isFile = data.nesting === 0 && data.name.endsWith('.test.js');
    if (isFile && type === 'test:pass') continue;
    const outcome = type === 'test:pass' ? (data.skip !== undefined ? 'skip' : 'pass') : 'FAIL';
    if (process.env.E2E_TALLY) appendFileSync(process.env.E2E_TALLY, `${outcome}\n`);
    const why = typeof data.skip === 'string' && data.skip ? `: ${data.skip}` : '';
    yield `  ${outcome} ${(data.details.duration_ms / 1000).toFixed(1).padStart(6)} s  ${data.name}${why}\n`;
    if (type === 'test:fail') yield `${indent(describe(data.details.error))}\n`;
  }
}

function describe(error) {
  const cause = error?.cause ?? error;
  return cause?.stack ?? String(cause);
}

function indent(text) {
  return text.replace(/^/gm, '         | ');
}
