// Reads a list of queries, and answers what Salesforce's parser says of each.
const { SOQLParser } = require("@salesforce/soql-common/lib/soql-parser");

const parser = SOQLParser({ isApex: false, isMultiCurrencyEnabled: true, apiVersion: 66 });
const queries = JSON.parse(require("fs").readFileSync(0, "utf8"));
const told = queries.map((query) => {
  const errors = parser.parseQuery(query).getParserErrors();
  return errors.map((it) => `column ${it.getCharacterPositionInLine()}: ${it.getMessage()}`);
});
process.stdout.write(JSON.stringify(told));
