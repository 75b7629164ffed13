// Package e2e tests Pegel against real servers that are too heavy for make test. It is a module of its own: nothing here
// reaches the product's go.mod.
package e2e
