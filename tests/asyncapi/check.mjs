// Reads an AsyncAPI document from standard input and prints the faults that AsyncAPI's own parser finds, one a line.
import { Parser } from "@asyncapi/parser";
import { text } from "node:stream/consumers";

const faults = await new Parser().validate(await text(process.stdin));
const errors = faults.filter((fault) => fault.severity === 0);
for (const { path, message } of errors) console.log(`${path.join(".")}: ${message}`);
process.exit(errors.length ? 1 : 0);
