// In place of Max, which runs on no server: a line in is a message to the script, a line out is what comes out of it.
const { createInterface } = require('node:readline');

const handlers = new Map();
createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, ...values] = JSON.parse(line);
  handlers.get(name)?.(...values);
});

exports.addHandler = (name, handler) => handlers.set(name, handler);
exports.outlet = async (...values) => console.log(JSON.stringify(values));
exports.post = async (...values) => console.error(...values);
